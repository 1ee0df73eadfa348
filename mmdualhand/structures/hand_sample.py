"""What a dataset hands out (the record) and what travels with a prediction."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from mmengine.structures import BaseDataElement, InstanceData, PixelData

BRANCHES = ('rgb', 'depth', 'fused')
"""Branches of the network in canonical order."""
INSTANCE_FIELDS = {
    'rgb': 'pred_instances',
    'depth': 'pred_instances_depth',
    'fused': 'pred_instances_fused',
}
"""Branch to the field of :class:`HandDataSample` that holds its prediction."""


class _Required(TypedDict):
    sample_id: str
    img_path: str
    hand_side: str


class HandSample(_Required, total=False):
    """The canonical record of one hand; a label that is absent is a missing key.

    Always there:

    * ``sample_id``: unique in its dataset, for example ``'00012/left'``.
    * ``img_path``: RGB image file.
    * ``hand_side``: ``'right'`` or ``'left'``.

    Where known:

    * ``camera``: (3, 3) float64 pinhole intrinsics in pixels of the image;
      ``keypoints_3d`` need it.
    * ``depth_path``, ``depth_encoding``: depth image and the name of its decoder.
    * ``depth_registration``: where the depth camera is another one than the
      colour camera: ``camera`` (3, 3) intrinsics of the depth image, ``rotation``
      (3, 3) and ``translation`` (3,) mm, X_colour = rotation @ X_depth + translation.
    * ``mask_path``, ``mask_values``: part-label image and the inclusive range of
      this hand's labels.
    * ``keypoints_2d``: (21, 2) float64 pixels of the image. Without
      ``keypoints_3d`` a joint that is not labelled is NaN and not visible.
    * ``keypoints_3d``: (21, 3) float64 mm, camera frame, canonical joint order.
    * ``keypoints_visible``: (21,) float32, 0 or 1.
    * ``ref_length``: length of the bone 9-10, mm.
    * ``root_depth``: z of joint 9, mm.
    """

    camera: np.ndarray
    depth_path: str
    depth_encoding: str
    depth_registration: dict[str, np.ndarray]
    mask_path: str
    mask_values: tuple[int, int]
    keypoints_2d: np.ndarray
    keypoints_3d: np.ndarray
    keypoints_visible: np.ndarray
    ref_length: float
    root_depth: float


class HandDataSample(BaseDataElement):
    """Labels and predictions of one hand, in MMPose's form.

    Instances have a leading axis of length 1. ``keypoints`` are (1, 21, 2) pixels
    of the original image, ``keypoints_3d`` (1, 21, 3) mm in the original camera
    frame (left hands un-mirrored), ``pose25d`` (1, 21, 3) of the mirrored crop,
    its d NaN where only 2D is labelled, ``keypoint_scores`` (1, 21). Fields are
    (1, h, w) images in the crop frame.

    ``pred_instances`` and ``pred_fields`` come from the RGB branch,
    ``pred_instances_depth`` and ``pred_instances_fused`` from the other two.
    """

    @property
    def gt_instances(self) -> InstanceData:
        """Labels; holds only what the dataset knows."""
        return self._gt_instances

    @gt_instances.setter
    def gt_instances(self, value: InstanceData) -> None:
        self.set_field(value, '_gt_instances', dtype=InstanceData)

    @gt_instances.deleter
    def gt_instances(self) -> None:
        del self._gt_instances

    @property
    def pred_instances(self) -> InstanceData:
        """Prediction of the RGB branch."""
        return self._pred_instances

    @pred_instances.setter
    def pred_instances(self, value: InstanceData) -> None:
        self.set_field(value, '_pred_instances', dtype=InstanceData)

    @pred_instances.deleter
    def pred_instances(self) -> None:
        del self._pred_instances

    @property
    def pred_instances_depth(self) -> InstanceData:
        """Prediction of the depth branch."""
        return self._pred_instances_depth

    @pred_instances_depth.setter
    def pred_instances_depth(self, value: InstanceData) -> None:
        self.set_field(value, '_pred_instances_depth', dtype=InstanceData)

    @pred_instances_depth.deleter
    def pred_instances_depth(self) -> None:
        del self._pred_instances_depth

    @property
    def pred_instances_fused(self) -> InstanceData:
        """Prediction of the fused branch."""
        return self._pred_instances_fused

    @pred_instances_fused.setter
    def pred_instances_fused(self, value: InstanceData) -> None:
        self.set_field(value, '_pred_instances_fused', dtype=InstanceData)

    @pred_instances_fused.deleter
    def pred_instances_fused(self) -> None:
        del self._pred_instances_fused

    @property
    def pred_fields(self) -> PixelData:
        """Predicted ``mask`` and ``depth_map`` of the RGB branch, crop frame, values 0 to 1."""
        return self._pred_fields

    @pred_fields.setter
    def pred_fields(self, value: PixelData) -> None:
        self.set_field(value, '_pred_fields', dtype=PixelData)

    @pred_fields.deleter
    def pred_fields(self) -> None:
        del self._pred_fields
