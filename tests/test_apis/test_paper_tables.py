"""Tables of the paper by hand: numbers beside the paper's, gains, order, and the files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmdualhand.apis.experiments import latex_text, markdown_text
from mmdualhand.apis.experiments.entries import CONTROL_ENTRIES, Entry
from mmdualhand.apis.experiments.paper_suite import provenance
from mmdualhand.apis.experiments.paper_tables import PaperTable
from mmdualhand.apis.experiments.suites import table1, table2, table3, table4
from mmdualhand.apis.experiments.tables import Spread, csv_text, quoted

TARGETS = ('stb', 'freihand', 'h3d', 'mvhand')
TABLE = PaperTable(
    'mine',
    'Mine',
    'EPE',
    (
        Entry('Baseline', 'ablation/r_rhd', (20.0, 20.0, 20.0, 20.0)),
        Entry('Other', 'controls/source_only', (10.0, 12.0, 10.0, 10.0)),
        Entry('Ours', 'finetune_{}', (9.0, 9.0, 9.0, 11.0), ours=True),
        *CONTROL_ENTRIES[:1],
    ),
    improvement=True,
    steps=True,
)


def cell(training, seed, target, epe, **more):
    record = dict(training=training, seed=seed, benchmark=f'mini/finetune_{target}', commit='abc')
    origin = dict(hash=f'{training}{seed}{target}', training=f'hash-of-{training}')
    return {**record, 'metrics': {'EPE': epe, 'PCK@0.05': 1 - epe / 100}, 'origin': origin, **more}


def cells(seeds=(0, 1)):
    """EPE of seed 0: baseline 40, other 25, ours 20 (30 on MVHand), control 24; a tenth more with seed 1."""
    found = []
    for seed in seeds:
        for target in TARGETS:
            values = {'baseline': 40.0, 'source_only': 25.0, f'finetune_{target}': 20.0}
            if target == 'mvhand':
                values['finetune_mvhand'] = 30.0
            found += [cell(name, seed, target, v * (1 + seed / 10)) for name, v in values.items()]
            found.append(cell('baseline', seed, target, 24.0 * (1 + seed / 10), reestimate_bn=True))
    return found


def rows(table):
    return {line.split(' | ')[0][2:]: line for line in markdown_text(table).splitlines() if ' | ' in line}


def test_rows_by_hand():
    table, steps = TABLE.build(cells(), 'mini')
    found = rows(table)
    assert found['Baseline'].startswith('| Baseline | 42.00 +- 2.83 | 42.00 +- 2.83 |')
    assert found['Ours'] == (
        '| Ours | **21.00 +- 1.41** | **21.00 +- 1.41** | **21.00 +- 1.41** | 31.50 +- 2.12 '
        '| **23.62 +- 1.59** | **9.00** | **9.00** | **9.00** | 11.00 |'
    )
    assert found['Other'].endswith('| 10.00 | 12.00 | 10.00 | **10.00** |')
    assert found['(i) baseline, BN re-estimated'].endswith('25.20 +- 1.70 | - | - | - | - |')
    # (25 - 20) / 25 and (25 - 30) / 25; the paper's (10 - 9) / 10, (12 - 9) / 12; control (24 - 20) / 24.
    assert found['Improvement over the best other method'] == (
        '| Improvement over the best other method | +20.0 +- 0.0 % | +20.0 +- 0.0 % | +20.0 +- 0.0 % '
        '| -20.0 +- 0.0 % | - | +10.0 % | +25.0 % | +10.0 % | -10.0 % |'
    )
    assert '| +16.7 +- 0.0 % |' in found['Improvement over the best control']
    assert 'embedded data of scale mini' in table.title and 'seeds [0, 1]' in table.title
    # Gains of a row over the one before it: 40 - 25 and 44 - 27.5.
    assert rows(steps)['Other'].startswith('| Other | 15.75 +- 1.06 |')
    assert rows(steps)['Ours'].endswith('| 1.00 | 3.00 | 1.00 | -1.00 |')


def test_the_order_of_the_paper_is_compared():
    legend = TABLE.build(cells((0,)), 'mini')[0].legend
    assert 'STB 3 of 3. FreiHAND 3 of 3. H3D 3 of 3. MVHand 3 of 3.' in legend
    turned = [c for c in cells((0,)) if c['training'] != 'finetune_stb']
    turned.append(cell('finetune_stb', 0, 'stb', 26.0))
    assert 'STB 2 of 3, not Other / Ours. ' in TABLE.build(turned, 'mini')[0].legend
    assert '(i) batch normalisation' in legend and 'the last one.' in legend


def test_nothing_is_gained_over_what_was_not_measured():
    """The missing one may be the best: no improvement is shown until it is there."""
    missing = [
        c for c in cells((0,)) if (c['training'], c['benchmark']) != ('source_only', 'mini/finetune_h3d')
    ]
    found = rows(TABLE.build(missing, 'mini')[0])
    assert found['Improvement over the best other method'].startswith(
        '| Improvement over the best other method | +20.0 % | +20.0 % | - | -20.0 % |'
    )
    assert '| 25.00 | 25.00 | - | **25.00** | - |' in found['Other']
    # A method without a config cannot be measured, and does not keep the others from being compared.
    entries = (*TABLE.entries, Entry('Unwritten', 'compared/unwritten_{}', (1.0, 1.0, 1.0, 1.0)))
    found = rows(replace(TABLE, entries=entries).build(cells((0,)), 'mini')[0])
    assert 'Unwritten' not in found
    assert found['Improvement over the best other method'].split(' | ')[1] == '+20.0 %'


def test_nothing_measured_is_no_table():
    assert TABLE.build([], 'mini') == [] and table1.tables([], 'mini') == []


@pytest.mark.parametrize(
    ('suite', 'printed'), [(table1, (16.0, 4.3, 4.0, 7.7)), (table2, (9.0, 14.8, 8.4, 11.2))]
)
def test_numbers_of_the_paper_give_its_improvement_row(suite, printed):
    """A digit that was copied wrong shows here: the paper prints these four."""
    (part,) = suite.SUITE.parts
    methods = [entry for entry in part.entries if not entry.control]
    (ours,) = (entry for entry in methods if entry.ours)
    others = [entry for entry in methods if not entry.ours]
    found = [part._paper_gain(ours, others, place) for place in range(4)]
    assert [round(value, 1) for value in found] == list(printed)


def test_numbers_of_the_paper_agree_between_its_tables():
    """Table 4 begins with the baseline of Tables 2 and 3, has a row of Table 3, and ends as Table 2."""

    def of(suite, head, part=0):
        return next(e.paper for e in suite.SUITE.parts[part].entries if e.head == head)

    assert of(table4, 'M(y_R)') == of(table3, 'Baseline') == of(table2, 'Baseline')
    assert of(table4, '+L_c') == of(table3, 'Ours, pre-trained')
    assert of(table4, '+L_d') == of(table2, 'Ours')
    # Every step of the paper's Table 4 gains on every target.
    steps = [e.paper for e in table4.SUITE.parts[0].entries if not e.control]
    assert all(
        a > b
        for above, below in zip(steps, steps[1:], strict=False)
        for a, b in zip(above, below, strict=True)
    )
    assert of(table3, 'PeCLR, smaller', 1) == (18.84, 22.17, 31.69, 21.96)


def test_quoted_numbers_have_no_seeds():
    assert quoted(None) is None
    table = TABLE.build(cells(), 'mini')[0]
    assert 'mine,Ours,STB (paper),9,nan,0' in csv_text([table])
    assert table.text('Ours', quoted(1.0)) == '1.00'
    assert table.text('Ours', Spread(1.0, 0.0, 1)) == '1.00 (n=1)'


def test_latex_by_hand():
    text = latex_text(TABLE.build(cells(), 'mini'))
    assert text.count(r'\begin{table}') == text.count(r'\end{table}') == 2
    lines = text.splitlines()
    assert r'\begin{tabular}{lrrrrrrrrr}' in lines
    assert r' & \multicolumn{5}{c}{} & \multicolumn{4}{c}{paper} \\' in lines
    ours = next(line for line in lines if line.startswith('Ours &'))
    assert ours.startswith(r'Ours & \textbf{21.00 $\pm$ 1.41} & ') and ours.endswith(r'& 11.00 \\')
    assert r'+20.0 $\pm$ 0.0 \%' in text and '+-' not in text
    heads = latex_text([replace(TABLE.build(cells(), 'mini')[0], rows=(('M(y_R) 5 % & more', ()),))])
    assert r'M(y\_R) 5 \% \& more & ' in heads


def test_what_made_the_numbers():
    text = provenance([*cells(), cell('baseline', 0, 'stb', 1.0, commit='def', root_depth='solve')])
    assert '| baseline | 0 | hash-of-baseline | abc, def | 9 |' in text
    assert '| finetune_stb | 1 | hash-of-finetune_stb | abc | 1 |' in text
