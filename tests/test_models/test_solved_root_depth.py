"""Predictions in mm without the true root depth: solved from the palm, and said so."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError, MissingFileError
from mmdualhand.evaluation import EPE
from mmdualhand.kinematics import SOURCE_TEMPLATE, HandTemplate
from mmdualhand.models.estimators.root_depth import UNSOLVED_DEPTH, PalmDepth
from mmdualhand.registry import MODELS
from mmdualhand.structures import PARENTS
from mmdualhand.testing import tiny_batch, tiny_estimator

CAMERA = torch.tensor([[200.0, 0, 32], [0, 200, 32], [0, 0, 1]], dtype=torch.float64)


def template_hands(depths: list[float], length: float = 45.0) -> torch.Tensor:
    """Flat hands with the palm of the template, turned a little, fingers straight on; mm."""
    palm = HandTemplate.load(SOURCE_TEMPLATE).palm * length
    hand = np.zeros((21, 3))
    hand[[0, 1, 5, 9, 13, 17]] = palm
    for joint in range(21):
        if joint and (joint - 1) % 4:
            base = hand[PARENTS[joint]]
            hand[joint] = base + 0.5 * (base - hand[0]) / np.linalg.norm(base - hand[0]) * length
    hand -= hand[9]
    turned = torch.tensor(hand) @ torch.linalg.matrix_exp(
        torch.tensor([[0, 0.3, 0.2], [-0.3, 0, 0.5], [-0.2, -0.5, 0]], dtype=torch.float64)
    )
    return torch.stack([turned + torch.tensor([5.0, -8.0, depth]) for depth in depths])


def test_exact_poses_give_the_exact_depth():
    codec, depths = Pose25D(64), [300.0, 500.0, 900.0]
    joints, cameras, length = template_hands(depths), CAMERA.repeat(3, 1, 1), torch.full((3,), 45.0)
    pose = codec.project(joints, cameras, ref_length=length.double())
    found = PalmDepth(codec)(pose.float(), cameras.float(), length)
    np.testing.assert_allclose(found, depths, rtol=1e-4)
    assert found.dtype == torch.float64


def test_a_palm_in_one_point_has_a_plausible_depth():
    found = PalmDepth(Pose25D(64))(torch.full((1, 21, 3), 20.0), CAMERA[None], torch.tensor([45.0]))
    assert found.tolist() == [UNSOLVED_DEPTH * 45]


def predict(source: str, **changes) -> list:
    torch.manual_seed(0)
    model = MODELS.build(tiny_estimator(test_cfg=dict(root_depth=source))).eval()
    batch = tiny_batch(2, 64)
    batch['targets'].update(changes)
    with torch.no_grad():
        return model(**model.data_preprocessor(batch), mode='predict')


def test_what_is_given_is_not_looked_at_and_its_source_is_printed():
    given, solved = predict('given'), predict('solve')
    moved = predict('given', root_depth=torch.full((2,), 321.0))[0].pred_instances.keypoints_3d
    assert moved[0, 9, 2] == pytest.approx(321, abs=1)
    lifted = [sample.pred_instances.keypoints_3d for sample in solved]
    for other in (predict('solve', root_depth=torch.full((2,), torch.nan)), predict('solve')):
        assert np.array_equal(lifted, [sample.pred_instances.keypoints_3d for sample in other])
    lines = []
    for samples in (given, solved):
        metric = EPE()
        metric.dataset_meta = dict(dataset_name='toy', lifting='true root depth, true |9-10|', embedded=True)
        metric.process(None, [sample.to_dict() for sample in samples])
        metric.evaluate(2)
        lines.append(metric.protocol_line)
    assert 'lifted with true root depth, true |9-10| (root_depth=given)' in lines[0]
    assert 'root depth of the predicted palm (root_depth=solve); the data give true root depth' in lines[1]


def test_values_without_meaning():
    with pytest.raises(ConfigError, match=r"test_cfg.root_depth must be one of \('given', 'solve'\)"):
        predict('guess')
    with pytest.raises(MissingFileError):
        PalmDepth(Pose25D(64), 'nowhere.json')
