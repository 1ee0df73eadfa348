"""Predicted depth maps as input of the depth encoder, in stage 1."""

from __future__ import annotations

import pytest
import torch
from test_dual_modality import batch, build, names

from mmdualhand.errors import ConfigError
from mmdualhand.models import MultiModalPrediction
from mmdualhand.models.estimators.predicted_depth import depth_input, replace_rows


def prediction(depth, mask):
    return MultiModalPrediction(torch.zeros(1, 21, 3), mask, depth)


def test_depth_is_clamped_and_brought_to_the_input_bilinearly():
    depth = torch.tensor([[[[0.0, 0.4], [1.2, -0.2]]]])
    given = depth_input(prediction(depth, torch.ones(1, 1, 2, 2)), (4, 4))
    # Half-pixel centres: corners keep their value, the rest is mixed from clamped values.
    row = torch.tensor([0.0, 0.1, 0.3, 0.4])
    torch.testing.assert_close(given[0, 0, 0], row)
    assert given[0, 0, 3, 0] == 1 and given[0, 0, 3, 3] == 0


def test_clean_input_is_background_outside_the_mask():
    depth, mask = torch.full((1, 1, 2, 2), 0.3), torch.tensor([[[[0.4, 0.6], [0.6, 0.4]]]])
    given = depth_input(prediction(depth, mask), (2, 2), clean=True)
    torch.testing.assert_close(given, torch.tensor([[[[1.0, 0.3], [0.3, 1.0]]]]))


def test_share_of_replaced_rows():
    given, predicted = torch.zeros(4000, 1, 1, 1), torch.ones(2000, 1, 1, 1)
    torch.manual_seed(0)
    mixed = replace_rows(given, predicted, 0.3)
    assert mixed[2000:].sum() == 0  # the augmented view keeps its own depth
    assert abs(float(mixed[:2000].mean()) - 0.3) < 0.04
    assert replace_rows(given, predicted, 1.0).sum() == 2000


def test_whole_share_does_not_look_at_the_given_depth_of_the_plain_view():
    inputs, targets = batch(views=1)
    other = {**inputs, 'depth': torch.rand_like(inputs['depth'])}
    model = build(contrast=[], predicted_depth=1.0)
    losses, changed = model.loss(inputs, targets), model.loss(other, targets)
    assert set(losses) == names(('rgb', 'depth', 'fused'))
    for name, value in losses.items():
        torch.testing.assert_close(changed[name], value, rtol=0, atol=0)
    plain = build(contrast=[])
    assert plain.loss(inputs, targets)['loss_pose_depth'] != plain.loss(other, targets)['loss_pose_depth']


def test_losses_are_those_of_a_pass_over_the_predicted_map():
    inputs, targets = batch(views=1)
    model, plain = build(contrast=[], predicted_depth=1.0), build(contrast=[])
    with torch.no_grad():
        map_of_rgb = model.extract({'rgb': inputs['rgb']})['rgb']
    expected = plain.loss({**inputs, 'depth': depth_input(map_of_rgb, (64, 64))}, targets)
    for name, value in model.loss(inputs, targets).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-5)


def test_with_contrast_and_alignment():
    inputs, targets = batch()
    model = build(predicted_depth=0.5, align=dict(type='FeatureAlign', weight=1.0))
    losses = model.loss(inputs, targets)
    assert set(losses) == names(('rgb', 'depth', 'fused')) | {'loss_contrast', 'loss_align'}
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_no_gradient_from_the_second_pass_into_the_predicted_map():
    inputs, targets = batch(views=1)
    model = build(contrast=[], predicted_depth=1.0)
    losses = model.loss(inputs, targets)
    (losses['loss_pose_depth'] + losses['loss_pose_fused']).backward()
    plain = build(contrast=[])
    plain_losses = plain.loss(
        {**inputs, 'depth': depth_input(plain.extract({'rgb': inputs['rgb']})['rgb'], (64, 64))}, targets
    )
    (plain_losses['loss_pose_depth'] + plain_losses['loss_pose_fused']).backward()
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        if one.grad is not None:
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-4)


def test_shares_without_meaning_are_refused():
    with pytest.raises(ConfigError, match='within 0..1'):
        build(predicted_depth=1.5)


def test_it_means_nothing_without_a_depth_branch():
    inputs, targets = batch(views=1)
    losses = build(branches=('rgb',), contrast=[], predicted_depth=0.5).loss(inputs, targets)
    expected = build(branches=('rgb',), contrast=[]).loss(inputs, targets)
    assert set(losses) == names(('rgb',))
    for name, value in losses.items():
        assert value == expected[name]
