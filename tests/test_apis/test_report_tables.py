"""The tables of a report: the numbers of the cells, and what competes with what."""

from __future__ import annotations

import math
import re

import pytest

from mmdualhand.apis.report.content import StepTimes
from mmdualhand.apis.report.html import duration
from mmdualhand.apis.report.results import Results
from mmdualhand.apis.report.tables import across, controls, headline, solved, times
from tests.fixtures.report_cells import cell, two_targets


def rows(text: str) -> list[list[str]]:
    """Cells of every row of the body; bold as ``*21.0*``, marked as ``[21.0]``."""
    text = re.sub(r'</?strong>', '*', text)
    text = re.sub(r'<mark>(.*?)</mark>', r'[\1]', text)
    body = re.findall(r'<tr[^>]*>(.*?)</tr>', text[text.index('<tbody') :])
    found = [re.findall(r'<t[hd][^>]*>(.*?)</t[hd]>', row) for row in body]
    return [[re.sub(r'<[^>]*>', '', one).replace('&ndash;', '-') for one in row] for row in found]


def test_headline_has_the_numbers_of_the_cells():
    assert rows(headline(Results(two_targets()))) == [
        ['STB'],
        ['Baseline', '30.0', '1.00', '0.700', '0.400'],
        ['Pre-trained', '27.0', '0.90', '0.730', '0.460'],
        ['Fine-tuned', '*21.0*', '0.70', '*0.790*', '*0.580*'],
        ['H3D'],
        ['Baseline', '40.0', '1.00', '0.600', '0.200'],
        ['Pre-trained', '36.0', '0.90', '0.640', '0.280'],
        ['Fine-tuned', '*30.0*', '0.75', '*0.700*', '*0.400*'],
        ['Mean of the targets'],
        ['Baseline', '35.0', '1.00', '0.650', '0.300'],
        ['Pre-trained', '31.5', '0.90', '0.685', '0.370'],
        ['Fine-tuned', '*25.5*', '0.73', '*0.745*', '*0.490*'],
        ['RHD (source)'],
        ['Baseline', '16.0', '1.00', '0.840', '0.680'],
        ['Pre-trained', '*15.0*', '0.94', '*0.850*', '*0.700*'],
        ['Fine-tuned', '17.5', '1.09', '0.825', '0.650'],
    ]


def test_seeds_are_means_with_deviations():
    text = headline(Results([*two_targets(0), *two_targets(1, shift=2.0)]))
    # 30 and 32: standard deviation of the sample, the root of 2
    assert ['Baseline', '31.0 ± 1.4', '1.00', '0.690 ± 0.014', '0.380 ± 0.028'] in rows(text)
    assert 'means over 2 seeds' in text
    assert 'seed 7' in headline(Results([cell('baseline', 'stb', 20.0, seed=7)]))


def test_what_is_missing_and_what_is_no_number():
    cells = [
        cell('baseline', 'stb', 30.0),
        cell('pretrain', 'stb', math.nan),
        cell('finetune_h3d', 'h3d', 20.0),
    ]
    text = headline(Results(cells))
    assert rows(text)[1:4] == [
        ['Baseline', '30.0', '1.00', '0.700', '0.400'],
        ['Pre-trained', 'n/a', 'n/a', 'n/a', 'n/a'],
        ['Fine-tuned', '-', '-', '-', '-'],
    ]
    assert rows(text)[5] == ['Baseline', '-', '-', '-', '-']  # H3D
    assert 'strong' not in text  # a single number is not the best of anything
    assert 'title="not a number"' in text and 'title="not measured"' in text
    assert 'No measurement' in headline(Results([cell('mine', 'stb', 1.0)]))


def test_equal_ones_are_both_bold():
    cells = [
        cell('baseline', 'stb', 20.04),
        cell('pretrain', 'stb', 19.96),
        cell('finetune_stb', 'stb', 25.0),
    ]
    printed = rows(headline(Results(cells)))
    assert [row[1] for row in printed[1:]] == ['*20.0*', '*20.0*', '25.0']


def test_controls_stand_beside_the_stages():
    cells = [*two_targets(), cell('source_only', 'stb', 25.0), cell('one_pass_h3d', 'h3d', 31.0)]
    assert rows(controls(Results(cells))) == [
        ['Baseline', '30.0', '40.0', '16.0', '35.0'],
        ['Pre-trained', '27.0', '36.0', '15.0', '31.5'],
        ['Pre-trained, BN re-estimated', '24.0', '33.0', '-', '28.5'],
        ['Fine-tuned', '21.0', '30.0', '17.5', '25.5'],
        ['Stage 2 without target pictures', '25.0', '-', '-', '-'],
        ['Stage 2 with one pass', '-', '31.0', '-', '-'],
    ]
    assert 'No control' in controls(Results([cell('baseline', 'stb', 30.0)]))


def test_every_network_on_every_benchmark():
    assert rows(across(Results(two_targets()))) == [
        ['Baseline', '30.0', '40.0', '16.0'],
        ['Pre-trained', '27.0', '36.0', '15.0'],
        ['Fine-tuned, STB', '[21.0]', '37.0', '17.0'],
        ['Fine-tuned, H3D', '28.0', '[30.0]', '18.0'],
    ]
    assert across(Results([cell('finetune_stb', 'stb', 1.0), cell('finetune_stb', 'rhd', 1.0)])) == ''


def test_solved_root_depth():
    assert rows(solved(Results(two_targets()))) == [['Fine-tuned, STB', '21.0', '26.0']]
    assert solved(Results([cell('baseline', 'stb', 1.0)])) == ''


@pytest.mark.parametrize(
    ('seconds', 'text'),
    [
        (0.04, '0.0 s'), (9.94, '9.9 s'), (9.96, '10 s'), (59.4, '59 s'), (59.6, '1 min 00 s'),
        (185.0, '3 min 05 s'), (3599.9, '1 h 00 min'), (3720.0, '1 h 02 min'),
    ],
)  # fmt: skip
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_times():
    text = times(StepTimes([('render', 30.0), ('train & test', 90.0)], elapsed=100.0))
    assert rows(text) == [['render', '30 s', ''], ['train &amp; test', '1 min 30 s', '']]
    assert 'all calls of the command: <b>1 min 40 s</b>' in text
    assert '2 min 00 s' not in text  # steps ran side by side: their sum is no time
    assert 'width: 33.3%' in text and 'width: 100.0%' in text
    text = times(StepTimes([('skipped', 0.0)]))
    assert 'width: 0.0%' in text and 'Elapsed' not in text
    assert 'No step' in times(StepTimes())
