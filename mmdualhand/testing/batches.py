"""Small batches and a small estimator, made without files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mmdualhand.datasets import collate_hand_batch
from mmdualhand.datasets.transforms import HandCrop, NormalizeDepth, PackHandInputs
from mmdualhand.structures import Camera
from mmdualhand.testing.hands import draw_hand, random_hand

PHOTO_SIZE = (160, 120)
FOCAL_PX = 180.0


def tiny_sample(
    index: int = 0, size: int | tuple[int, int] = 64, *, depth: bool = True, seed: int = 0
) -> dict[str, Any]:
    """One packed training sample of a made-up hand.

    Even indices are right hands, odd ones left (and so mirrored).

    Args:
        index: Changes the hand.
        size: (w, h) of the crop, px, or one integer.
        depth: Also make depth and mask.
        seed: Changes all hands.

    Returns:
        What :class:`~mmdualhand.datasets.transforms.PackHandInputs` returns.
    """
    rng = np.random.default_rng([seed, index])
    side = 'left' if index % 2 else 'right'
    camera = np.array([[FOCAL_PX, 0, PHOTO_SIZE[0] / 2], [0, FOCAL_PX, PHOTO_SIZE[1] / 2], [0, 0, 1]])
    joints = random_hand(rng, side)
    photo, depth_mm, mask = draw_hand(joints, camera, PHOTO_SIZE, rng)
    results: dict[str, Any] = {
        'sample_id': f'tiny/{index}',
        'sample_index': index,
        'img_path': '',
        'hand_side': side,
        'camera': camera,
        'keypoints_2d': Camera(camera).project(joints),
        'keypoints_3d': joints,
        'keypoints_visible': np.ones(len(joints), np.float32),
        'img': photo,
        'rng': rng,
        'dataset_name': 'tiny',
    }
    if depth:
        results.update(depth=depth_mm, mask=mask)
    for transform in (HandCrop(size), NormalizeDepth(), PackHandInputs()):
        results = transform.transform(results)
    return results


def tiny_batch(
    batch_size: int = 2, size: int | tuple[int, int] = 64, *, depth: bool = True, seed: int = 0
) -> dict[str, Any]:
    """A collated batch of made-up hands, as a dataloader hands it to the data preprocessor.

    Args:
        batch_size: B.
        size: (w, h) of the crop, px, or one integer.
        depth: Also make depth and mask.
        seed: Changes the hands.

    Returns:
        ``inputs``: ``img`` (B, 3, H, W) uint8 and, with depth, ``depth`` uint16 and ``mask``
        uint8 (B, 1, H, W); ``targets``: ``pose25d`` (B, 21, 3) and the rest that
        :class:`~mmdualhand.datasets.transforms.PackHandInputs` lists; ``data_samples``.
    """
    return collate_hand_batch([tiny_sample(i, size, depth=depth, seed=seed) for i in range(batch_size)])


def tiny_estimator(
    backbone: Mapping[str, Any] | None = None, size: int | tuple[int, int] = 64, **overrides: Any
) -> dict[str, Any]:
    """Config of a full stage-1 estimator small enough for a unit test.

    Args:
        backbone: Config of a backbone; a narrow ResNet-18 where None.
        size: (w, h) of the crop, px, or one integer.
        **overrides: Arguments of
            :class:`~mmdualhand.models.estimators.DualModalityEstimator` that
            replace those chosen here.

    Returns:
        A config for ``MODELS.build`` or :func:`~mmdualhand.testing.check_estimator`.
    """
    mild = dict(rgb=dict(brightness=0.2), depth=dict(offset=0.02))
    strong = dict(rgb=dict(brightness=0.4), depth=dict(offset=0.1))
    config: dict[str, Any] = dict(
        type='DualModalityEstimator',
        backbone=dict(backbone or dict(type='DualResNet', depth=18, base_channels=4)),
        head=dict(
            type='MultiModal2.5DHead',
            deconv_channels=(8, 8, 8),
            codec=dict(type='Pose25D', input_size=size),
        ),
        projector=dict(type='ProjectionHead', hidden_channels=8, out_channels=4),
        contrast=[('rgb', 'rgb+'), ('depth', 'depth+'), ('rgb', 'fused'), ('rgb+', 'fused+')],
        data_preprocessor=dict(type='HandDataPreprocessor', texture=dict(plain=mild, augmented=strong)),
    )
    return {**config, **overrides}
