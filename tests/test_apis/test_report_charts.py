"""What the charts of a report draw."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from mmdualhand.apis.report import RunLog
from mmdualhand.apis.report.charts import error_chart, mean_curve, pck_charts
from mmdualhand.apis.report.results import Results
from mmdualhand.apis.report.training_charts import label_curve, labels, loss_curves, losses
from mmdualhand.visualization import LabelCurves
from tests.fixtures.report_cells import THRESHOLDS, cell, two_targets

LINE = r'<path d="(M [^"]*)"[^>]*style="fill: none; stroke: var\(--{}, '


def charts(text: str) -> list[str]:
    return re.findall(r'<svg.*?</svg>', text, flags=re.DOTALL)


def points(chart: str, colour: str) -> np.ndarray:
    """Corners (N, 2) of the longest line of a colour, in the chart's own units, y down."""
    lines = [
        np.array(re.findall(r'[ML] (\S+) (\S+)', d), float) for d in re.findall(LINE.format(colour), chart)
    ]
    return max(lines, key=len)


def letters(chart: str) -> list[str]:
    return [one.text for one in ElementTree.fromstring(chart).iter('{http://www.w3.org/2000/svg}text')]


def test_mean_curve_by_hand():
    cells = Results([cell('baseline', 'stb', 20.0, 0), cell('baseline', 'stb', 40.0, 1)]).cells
    thresholds, shares = mean_curve(cells)
    assert thresholds.tolist() == THRESHOLDS
    np.testing.assert_allclose(shares, [0.0, 0.4, 0.7, 1.0])
    assert mean_curve(Results([cell('baseline', 'stb', 20.0, curve3d={})]).cells) is None


def test_pck_curves_are_where_the_numbers_say():
    text = pck_charts(Results(two_targets()))
    assert len(charts(text)) == 3
    stb = charts(text)[0]
    assert 'STB' in letters(stb) and 'threshold, mm' in letters(stb)
    fine, base = points(stb, 'stage-3'), points(stb, 'stage-1')
    left, right = fine[0, 0], fine[-1, 0]
    bottom, top = fine[0, 1], fine[-1, 1]  # 0 mm: no joint, 80 mm: all of them
    assert bottom > top
    shares = (bottom - fine[:, 1]) / (bottom - top)
    np.testing.assert_allclose((fine[:, 0] - left) / (right - left) * 80, THRESHOLDS, atol=0.01)
    np.testing.assert_allclose(shares, [0, 1 - 21 / 50, 1 - 21 / 100, 1], atol=1e-3)
    np.testing.assert_allclose((bottom - base[1, 1]) / (bottom - top), 1 - 30 / 50, atol=1e-3)
    assert 'No measurement' in pck_charts(Results([cell('baseline', 'stb', 1.0, curve3d=None)]))


def test_error_chart_names_benchmarks_and_draws_stages_and_controls():
    text = error_chart(Results(two_targets()))
    names = letters(text[text.index('<svg') : text.index('</svg>') + 6])
    assert [n for n in names if n in ('STB', 'H3D', 'RHD (source)')] == ['STB', 'H3D', 'RHD (source)']
    dots = re.findall(
        r'<use xlink:href="#\w+" x="([\d.]+)" y="([\d.]+)" style="fill: var\(--stage-(\d)', text
    )
    assert len(dots) == 9  # three stages on three benchmarks
    by_stage = {stage: float(x) for x, y, stage in dots if y == dots[0][1]}  # STB: 30, 27 and 21 mm
    assert by_stage['3'] < by_stage['2'] < by_stage['1']
    step = by_stage['1'] - by_stage['2']
    assert (by_stage['2'] - by_stage['3']) / step == pytest.approx(2.0, abs=0.01)
    rings = re.findall(
        r'<use xlink:href="#\w+" x="([\d.]+)" y="([\d.]+)" style="fill-opacity: 0; stroke: var\(--stage', text
    )
    assert len(rings) == 2 and min(float(x) for x, _ in rings) == pytest.approx(
        by_stage['1'] - 2 * step, abs=0.1
    )
    assert error_chart(Results([cell('baseline', 'stb', None)])) == ''


def write_run(folder: Path, lines: list[dict]) -> RunLog:
    file = folder / '1' / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    return RunLog(folder.name, folder)


def test_losses_are_summed_over_branches(tmp_path):
    line = {
        'loss': 10.0, 'loss_pose_rgb': 1.0, 'loss_pose_fused': 2.0, 'loss_mask_rgb': 0.5, 'step': 5,
        'loss_contrast': 0.25, 'loss_label_rgb': 4.0, 'loss_distill_pose': 0.125, 'lr': 1.0,
        'loss_distill_mask': 0.125, 'loss_depth_map_depth': 3.0,
    }  # fmt: skip
    run = write_run(tmp_path / 'stb', [line, {'EPE': 20.0, 'step': 1}, dict(line, step=6, loss=9.0)])
    curves = loss_curves(run)
    assert {name: curve[5] for name, curve in curves.items()} == {
        'total': 10.0, 'pose': 3.0, 'mask': 0.5, 'contrast': 0.25, 'label': 4.0, 'distill': 0.25,
        'depth_map': 3.0,
    }  # fmt: skip
    assert curves['total'] == {5: 10.0, 6: 9.0}
    text = losses([run, RunLog('gone', tmp_path / 'gone')])
    assert (
        len(charts(text)) == 1
        and 'gone: ' in text
        and 'self-distillation' in text
        and 'alignment' not in text
    )
    heights = points(charts(text)[0], 'ink')[:, 1], points(charts(text)[0], 'line-1')[:, 1]
    # logarithmic: from 10 to 9 is as far as the logarithms say, measured by 10 to 3
    ratio = (heights[0][1] - heights[0][0]) / (heights[1][0] - heights[0][0])
    assert ratio == pytest.approx(np.log(10 / 9) / np.log(10 / 3), abs=0.01)
    assert 'No training run' in losses([])


def test_labels_of_every_run_in_one_chart(tmp_path):
    def lines(share):
        steps = [dict(loss=1.0, accepted=share + 0.1 * s, drift_px=0.0, step=s, epoch=1) for s in (1, 2)]
        ends = [
            {'labels/drift_px': d, 'labels/accepted': 0.5, 'epoch': e, 'step': 2 * e}
            for e, d in ((1, 0), (2, 3))
        ]
        return [*steps, *ends]

    stb, h3d = write_run(tmp_path / 'stb', lines(0.2)), write_run(tmp_path / 'h3d', lines(0.4))
    stage1 = write_run(tmp_path / 'stage1', [dict(loss=1.0, step=1)])
    text = labels([stage1, stb, h3d])
    accepted, drift = charts(text)
    assert 'accepted labels' in letters(accepted) and 'drift between two labels of a picture' in letters(
        drift
    )
    first, second = points(accepted, 'line-1'), points(accepted, 'line-2')
    assert (first[:, 1] > second[:, 1]).all() and (first[:, 0] == second[:, 0]).all()
    assert 'stage1' not in text and text.count('<li>') == 2
    assert labels([stage1]) == ''


def test_drift_is_taken_from_epochs_that_have_something_to_compare_with():
    curves = LabelCurves(
        steps={'drift_px': {1: 0.0, 2: 0.5}, 'accepted': {1: 0.3}},
        epochs={1: {'drift_px': 0.0, 'pose_std': 4.0}, 2: {'drift_px': 2.5, 'pose_std': 5.0}},
        ends={1: 10, 2: 20},
    )
    assert label_curve(curves, 'drift_px') == {20: 2.5}
    assert label_curve(curves, 'accepted') == {1: 0.3}
    assert label_curve(curves, 'pose_std') == {10: 4.0, 20: 5.0}
    assert label_curve(curves, 'correction_px') == {}
