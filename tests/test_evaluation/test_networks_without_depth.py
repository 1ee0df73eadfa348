"""Metrics of networks that predict 2D keypoints alone."""

from __future__ import annotations

import numpy as np
import pytest
from mmengine.structures import InstanceData

from mmdualhand.evaluation import metrics
from mmdualhand.registry import METRICS
from mmdualhand.structures import HandDataSample
from mmdualhand.testing import random_hand


def sample_without_depth(offset: float) -> HandDataSample:
    """A labelled hand whose joints are all found ``offset`` grid pixels off in u."""
    rng = np.random.default_rng(2)
    grid = rng.uniform(5, 55, (1, 21, 3))
    found = grid + [offset, 0.0, np.nan]
    sample = HandDataSample(metainfo=dict(sample_id='a', crop_rule='c', prediction_dims=2))
    sample.gt_instances = InstanceData(keypoints_3d=random_hand(rng)[None], pose25d=grid)
    sample.pred_instances = InstanceData(pose25d=found)
    return sample


@pytest.mark.parametrize(('offset', 'share'), [(3.1, 1.0), (3.3, 0.0)])
def test_pck_needs_no_depth(offset, share):
    metric = METRICS.build(dict(type='PCK'))
    metric.process(None, [sample_without_depth(offset).to_dict()])
    assert metric.evaluate(1) == {'PCK@0.05': share}


@pytest.mark.parametrize('name', ['EPE', 'AUC'])
def test_metrics_in_mm_say_so_and_measure_nothing(name, monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmdualhand.evaluation.hand_metric.print_log', lambda text, **kwargs: said.append(text)
    )
    metric: metrics.EPE = METRICS.build(dict(type=name))
    metric.process(None, [sample_without_depth(0.0).to_dict()])
    assert metric.evaluate(1) == {} and metric.protocol_line is None
    (line,) = said
    assert line == (
        f'{name} measures nothing: the network predicts 2D keypoints alone, and has no 3D; measure it with '
        'PCK.'
    )
