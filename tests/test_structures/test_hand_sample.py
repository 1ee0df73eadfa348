"""The data sample carries typed instances and survives mmengine's to_dict."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import InstanceData, PixelData

from mmdualhand.structures import BRANCHES, INSTANCE_FIELDS, HandDataSample


@pytest.mark.parametrize('field', ['gt_instances', *INSTANCE_FIELDS.values()])
def test_instances_are_stored_under_their_name_and_removed(field: str) -> None:
    sample = HandDataSample(metainfo=dict(sample_id='7/left'))
    setattr(sample, field, InstanceData(keypoints=torch.full((1, 21, 2), 3.0)))
    assert float(getattr(sample, field).keypoints.sum()) == 126.0
    assert field in sample and sample.to_dict()['sample_id'] == '7/left'
    assert set(sample.to_dict()[field]) == {'keypoints'}
    delattr(sample, field)
    assert field not in sample


def test_fields_are_pixel_data_and_nothing_else() -> None:
    sample = HandDataSample()
    sample.pred_fields = PixelData(mask=torch.ones(1, 4, 4))
    assert float(sample.pred_fields.mask.mean()) == 1.0
    del sample.pred_fields
    with pytest.raises(AssertionError):
        sample.pred_fields = InstanceData()


def test_every_branch_has_a_field_of_its_own() -> None:
    assert tuple(INSTANCE_FIELDS) == BRANCHES == ('rgb', 'depth', 'fused')
    fields = ['pred_instances', 'pred_instances_depth', 'pred_instances_fused']
    assert list(INSTANCE_FIELDS.values()) == fields
