"""Metric classes under mmengine's own evaluator."""

from __future__ import annotations

import logging
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData

from mmdualhand.errors import ConfigError, DataError
from mmdualhand.registry import METRICS
from mmdualhand.structures import HandDataSample

META = dict(
    dataset_name='toy', root_joint=9, wrist_convention='wrist', embedded=True, split='evaluation',
    lifting='true root depth, constant 50 mm',
)  # fmt: skip


def hand(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 40, (21, 3)) + (0, 0, 600)


def sample(
    gt: np.ndarray | None,
    shift: tuple[float, float, float] = (0, 0, 0),
    visible: np.ndarray | None = None,
    branches: tuple[str, ...] = ('pred_instances',),
) -> HandDataSample:
    """A sample whose prediction is the label moved by ``shift`` (mm; the same in grid pixels)."""
    out = HandDataSample(metainfo=dict(sample_id='3/left', crop_rule='keypoints x 1.5'))
    base = hand() if gt is None else gt
    moved = torch.from_numpy(base + np.asarray(shift, dtype=np.float64))[None].float()
    for branch in branches:
        setattr(out, branch, InstanceData(keypoints_3d=moved.clone(), pose25d=moved / 10))
    if gt is not None:
        label = torch.from_numpy(gt)[None].float()
        fields = dict(keypoints_3d=label, pose25d=label / 10)
        if visible is not None:
            fields['keypoints_visible'] = torch.from_numpy(visible)[None].float()
        out.gt_instances = InstanceData(**fields)
    else:
        out.gt_instances = InstanceData(keypoints=torch.zeros(1, 21, 2))
    return out


def run(metric: dict[str, Any], samples: list[HandDataSample], meta: dict | None = META) -> dict[str, float]:
    built = METRICS.build(metric)
    evaluator = Evaluator([built])
    evaluator.dataset_meta = meta
    for start in range(0, len(samples), 2):
        evaluator.process(samples[start : start + 2])
    return evaluator.evaluate(len(samples))


@pytest.fixture
def lines() -> Any:
    """Messages of the current mmengine logger."""
    messages: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    logger, handler = MMLogger.get_current_instance(), Keep()
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


def test_epe_keys_and_values() -> None:
    result = run(dict(type='EPE'), [sample(hand(1), (3, 4, 0)), sample(hand(2), (0, 0, 8)), sample(hand(3))])
    assert set(result) == {'EPE', 'EPE_root', 'EPE_PA'}
    assert result['EPE'] == pytest.approx(13 / 3, abs=1e-4)
    assert result['EPE_root'] == pytest.approx(0, abs=1e-3)
    assert result['EPE_PA'] == pytest.approx(0, abs=1e-3)


def test_auc_and_pck_values() -> None:
    samples = [sample(hand(1), (0, 0, 35)), sample(hand(2), (33, 0, 0)), sample(hand(3), (31, 0, 0))]
    # 4 thresholds 20..50: each hand misses 20 and 30, hits 40 and 50: half of the area.
    result = run(dict(type='AUC', steps=4), samples)
    assert set(result) == {'AUC', 'AUC_root', 'AUC_PA'}
    assert result['AUC'] == pytest.approx(0.5) and result['AUC_root'] == 1.0
    # Grid pixels: 0 off, 3.3 off, 3.1 off, against 3.2; the third coordinate does not count.
    assert run(dict(type='PCK'), samples) == {'PCK@0.05': pytest.approx(2 / 3)}


def test_branches_have_their_own_keys() -> None:
    both = ('pred_instances', 'pred_instances_depth')
    result = run(
        dict(type='EPE', alignment='none', branches=('rgb', 'depth')),
        [sample(hand(1), (0, 6, 8), branches=both)],
    )
    assert result == {'EPE': pytest.approx(10, abs=1e-3), 'depth/EPE': pytest.approx(10, abs=1e-3)}
    with pytest.raises(ConfigError, match='pred_instances_fused'):
        run(dict(type='EPE', branches=('fused',)), [sample(hand(1))])


def test_per_finger_and_per_joint() -> None:
    one = sample(hand(1))
    one.pred_instances.keypoints_3d[0, 8, 2] += 4.0  # the tip of the index
    result = run(dict(type='EPE', alignment='none', per_finger=True, per_joint=True), [one])
    assert len(result) == 1 + 5 + 21
    assert result['EPE/index_tip'] == pytest.approx(4, abs=1e-3)
    assert result['EPE/index'] == pytest.approx(1, abs=1e-3)
    assert result['EPE/wrist'] == 0 and result['EPE/pinky'] == 0


def test_unlabelled_samples_are_skipped_and_counted(lines: list[str]) -> None:
    samples = [sample(None), sample(hand(1), (3, 4, 0)), sample(hand(2) * np.nan)]
    result = run(dict(type='EPE', alignment='none'), samples)
    assert result['EPE'] == pytest.approx(5, abs=1e-3)
    text = next(line for line in lines if line.startswith('EPE:'))
    for part in (
        'mm, camera frame', 'alignment none', 'root joint 9 (middle_mcp)', 'crop rule keypoints x 1.5',
        'wrist convention wrist', '1 of 3 samples (2 without label skipped)',
        'toy, split evaluation, embedded data', 'lifted with true root depth, constant 50 mm',
    ):  # fmt: skip
        assert part in text


def test_protocol_is_kept_and_logged_where_it_changes(lines: list[str]) -> None:
    metric = METRICS.build(dict(type='EPE'))
    metric.dataset_meta = META
    assert metric.protocol_line is None
    for count in (1, 1, 2, 1):
        metric.process(None, [sample(hand(k)).to_dict() for k in range(count)])
        metric.evaluate(count)
    logged = [line for line in lines if line.startswith('EPE:')]
    assert [f'{count} of {count} samples' in line for count, line in zip((1, 2, 1), logged, strict=True)]
    assert metric.protocol_line == logged[-1] == logged[0]


def test_a_2d_metric_lifts_nothing(lines: list[str]) -> None:
    run(dict(type='PCK'), [sample(hand(1))], meta=None)
    text = next(line for line in lines if line.startswith('PCK:'))
    assert 'lifted' not in text and 'split unknown' in text
    run(dict(type='EPE'), [sample(hand(1))], meta=None)
    assert 'lifted with unknown root depth and length' in lines[-1]


@pytest.mark.parametrize(
    ('name', 'label'),
    [
        ('EPE', '3D labels (gt_instances.keypoints_3d)'),
        ('AUC', '3D labels (gt_instances.keypoints_3d)'),
        ('PCK', '2D labels (gt_instances.pose25d)'),
    ],
)
def test_all_unlabelled_is_one_warning(lines: list[str], name: str, label: str) -> None:
    built = METRICS.build(dict(type=name))
    evaluator = Evaluator([built])
    evaluator.dataset_meta = META
    evaluator.process([sample(None), sample(None)])
    assert evaluator.evaluate(2) == {}
    assert [line for line in lines if 'nothing' in line] == [
        f'{name} measures nothing: none of the 2 samples of toy (evaluation) has {label}.'
    ]
    assert built.protocol_line is None


@pytest.mark.parametrize(('name', 'value'), [('EPE', np.nan), ('AUC', np.inf), ('PCK', np.nan)])
def test_a_network_that_predicts_nan_is_named(name: str, value: float) -> None:
    broken = sample(hand(1), branches=('pred_instances', 'pred_instances_depth'))
    for key in ('keypoints_3d', 'pose25d'):
        broken.pred_instances_depth[key][0, 4, 1] = value
    samples = [sample(hand(2), branches=('pred_instances', 'pred_instances_depth')), broken, broken]
    text = r"the network predicts values that are not finite for sample '3/left' and 1 more .*'depth'"
    with pytest.raises(DataError, match=text):
        run(dict(type=name, branches=('rgb', 'depth')), samples)
    assert run(dict(type=name), samples)  # the other branch is fine


def test_predictions_of_unlabelled_samples_may_be_nan() -> None:
    unknown = sample(None)
    unknown.pred_instances.keypoints_3d[:] = torch.nan
    result = run(dict(type='EPE', alignment='none'), [unknown, sample(hand(1), (3, 4, 0))])
    assert result == {'EPE': pytest.approx(5, abs=1e-3)}


def test_visible_only() -> None:
    visible = np.zeros(21)
    visible[:5] = 1
    one = sample(hand(1), visible=visible)
    one.pred_instances.keypoints_3d[0, 20, 0] += 21.0
    everything = run(dict(type='EPE', alignment='none'), [one])
    assert everything['EPE'] == pytest.approx(1, abs=1e-3)
    assert run(dict(type='EPE', alignment='none', visible_only=True), [one])['EPE'] == 0
    with pytest.raises(DataError, match='visible_only=True'):
        run(dict(type='EPE', visible_only=True), [sample(hand(1), visible=np.zeros(21))])


def test_a_single_unknown_joint_is_left_out() -> None:
    gt = hand(1)
    one = sample(gt, (0, 0, 2))
    one.gt_instances.keypoints_3d[0, 9] = torch.nan  # the root itself
    other = sample(hand(2), (0, 0, 2))
    result = run(dict(type='EPE'), [one, other])
    assert result['EPE'] == pytest.approx(2, abs=1e-3)
    assert result['EPE_root'] == pytest.approx(0, abs=1e-3)  # of the hand whose root is known
    assert result['EPE_PA'] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(('factor', 'unit'), [(0.001, 'metres'), (0.1, 'centimetres')])
def test_other_units_are_refused(factor: float, unit: str) -> None:
    hands = [sample(factor * np.random.default_rng(k).uniform(0, 100, (21, 3))) for k in range(3)]
    with pytest.raises(ValueError, match=f'keypoints_3d must be in mm.*{unit}'):
        run(dict(type='EPE'), hands)


def test_records_are_small_one_a_sample_and_can_be_sent() -> None:
    metric = METRICS.build(dict(type='EPE'))
    one = sample(hand(1))
    metric.process({'inputs': torch.zeros(2, 3, 256, 256)}, [one.to_dict(), sample(None).to_dict()])
    assert len(metric.results) == 2
    assert len(pickle.dumps(metric.results)) < 4096


def test_instances_may_stay_instance_data() -> None:
    metric = METRICS.build(dict(type='EPE', alignment=['none']))
    one = sample(hand(1), (0, 0, 3))
    metric.process(None, [dict(pred_instances=one.pred_instances, gt_instances=one.gt_instances)])
    assert metric.evaluate(1)['EPE'] == pytest.approx(3, abs=1e-3)


def test_direction_is_declared() -> None:
    rules = {name: METRICS.build(dict(type=name)).rule for name in ('EPE', 'AUC', 'PCK')}
    assert rules == {'EPE': 'less', 'AUC': 'greater', 'PCK': 'greater'}


@pytest.mark.parametrize(
    'wrong',
    [
        dict(type='EPE', alignment='scale'),
        dict(type='EPE', alignment=()),
        dict(type='EPE', branches=('rgbd',)),
        dict(type='AUC', low=50, high=20),
        dict(type='AUC', steps=1),
        dict(type='PCK', threshold=0),
    ],
)
def test_wrong_settings_are_config_errors(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        METRICS.build(wrong)


def test_a_prediction_of_wrong_shape_names_the_sample() -> None:
    one = sample(hand(1))
    one.pred_instances = InstanceData(keypoints_3d=torch.zeros(1, 20, 3))
    with pytest.raises(DataError, match="'3/left'"):
        run(dict(type='EPE'), [one])
