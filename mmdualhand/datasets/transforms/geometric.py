"""The one crop: pixels, labels and camera move together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from mmcv.transforms import BaseTransform

from mmdualhand.errors import ConfigError, DataError
from mmdualhand.registry import TRANSFORMS
from mmdualhand.structures import Camera, CropTransform, as_size


class CropAugment(NamedTuple):
    """Ranges of the geometric augmentation, all uniform.

    Attributes:
        rotation: Largest in-plane rotation either way, degrees.
        scale: Range of the factor on the box side.
        translation: Largest shift of the box along each axis, in sides.
        prob: Probability that a sample is augmented at all.
    """

    rotation: float = 180.0
    scale: tuple[float, float] = (0.8, 1.2)
    translation: float = 0.1
    prob: float = 0.8


class Draw(NamedTuple):
    """One draw: degrees, factor on the side, shift (2,) of the box in sides."""

    rotation: float
    scale: float
    shift: np.ndarray


@TRANSFORMS.register_module()
class HandCrop(BaseTransform):
    """Cut the hand out with one affine map, and mirror left hands.

    Changes ``img`` (linear, zeros outside), ``depth`` and ``mask`` (nearest),
    ``keypoints_2d`` (crop px), ``keypoints_3d`` (mm in the camera frame, x negated
    where mirrored) and ``camera`` (of the crop, where there is one). Adds ``crop`` (CropTransform),
    ``mirrored``, ``crop_rule``, ``input_size`` and the untouched ``orig_camera``,
    ``orig_keypoints_2d``, ``orig_keypoints_3d``.

    Args:
        input_size: (w, h) of the crop, px, or one integer.
        rule: ``'keypoints'``: square about the centre of the box of the 21
            projected joints (of those that are labelled). ``'whole'``: the whole image, which is the crop
            already (the longer side fills the output).
        scale: Side of the square over the larger extent of the joints.
        mirror_left: Mirror left hands, u' = W - 1 - u, so that models see right
            hands only.
        augment: None, or ``dict(rotation=, scale=, translation=, prob=)`` of
            :class:`CropAugment`; draws from ``results['rng']``. Rotation and
            shift are those seen in the mirrored image.

    Raises:
        ConfigError: An unknown rule or a range without meaning.
    """

    def __init__(
        self,
        input_size: int | Sequence[int] = (256, 256),
        rule: str = 'keypoints',
        scale: float = 1.5,
        mirror_left: bool = True,
        augment: Mapping[str, Any] | None = None,
    ) -> None:
        if rule not in ('keypoints', 'whole'):
            raise ConfigError(f"rule of HandCrop must be 'keypoints' or 'whole', got {rule!r}")
        if not scale > 0:
            raise ConfigError(f'scale of HandCrop must be positive, got {scale}')
        self.input_size = as_size(input_size, name='input_size')
        self.rule = rule
        self.scale = float(scale)
        self.mirror_left = mirror_left
        self.augment = None if augment is None else _read_augment(augment)

    @property
    def rule_text(self) -> str:
        """The rule as printed beside every result."""
        if self.rule == 'whole':
            return 'whole image'
        return f'square {self.scale:g} x extent of the 21 projected joints'

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Crop one sample.

        Raises:
            DataError: Rule ``'keypoints'`` and the sample has no ``keypoints_2d``,
                or all joints fall on one point.
            ValueError: Augmentation without ``results['rng']``.
        """
        height, width = results['img'].shape[:2]
        center, side = self._box(results, width, height)
        mirror = self.mirror_left and results['hand_side'] == 'left'
        rotation = 0.0
        if self.augment is not None:
            rotation, factor, shift = self._draw(results)
            side *= factor
            center = center + side * shift * np.array([-1.0 if mirror else 1.0, 1.0])
        crop = CropTransform.from_box(center, side, self.input_size, (width, height), rotation, mirror)
        _apply(crop, results)
        results.update(crop=crop, mirrored=mirror, crop_rule=self.rule_text, input_size=self.input_size)
        return results

    def _box(self, results: dict[str, Any], width: int, height: int) -> tuple[np.ndarray, float]:
        if self.rule == 'whole':
            return np.array([(width - 1) / 2, (height - 1) / 2]), float(max(width, height))
        sample = results['sample_id']
        if 'keypoints_2d' not in results:
            raise DataError(
                f"sample {sample!r} has no keypoints_2d, which HandCrop(rule='keypoints') needs; use "
                "rule='whole' for "
                'photos that are crops already.'
            )
        uv = results['keypoints_2d']
        labelled = uv[np.isfinite(uv).all(axis=-1)]
        low, high = (labelled.min(axis=0), labelled.max(axis=0)) if len(labelled) else (0.0, 0.0)
        side = self.scale * float(np.max(np.subtract(high, low)))
        if not side > 0:
            raise DataError(f'sample {sample!r}: all keypoints_2d are one point, there is nothing to crop.')
        return np.add(low, high) / 2, side

    def _draw(self, results: dict[str, Any]) -> Draw:
        ranges, rng = self.augment, results.get('rng')
        if ranges is None or rng is None:
            raise ValueError(
                "HandCrop(augment=...) draws from results['rng'], a numpy Generator, which is missing"
            )
        applied = rng.random() < ranges.prob
        rotation = rng.uniform(-ranges.rotation, ranges.rotation)
        factor = rng.uniform(*ranges.scale)
        shift = rng.uniform(-ranges.translation, ranges.translation, 2)
        return Draw(rotation, factor, shift) if applied else Draw(0.0, 1.0, np.zeros(2))


def _apply(crop: CropTransform, results: dict[str, Any]) -> None:
    results['img'] = crop.image(results['img'], 'linear')
    for key in ('depth', 'mask'):
        if key in results:
            results[key] = crop.image(results[key], 'nearest')
    if 'camera' in results:
        results['orig_camera'] = results['camera']
        results['camera'] = crop.camera(Camera(results['camera'])).K
    for key, move in (('keypoints_2d', crop.points_2d), ('keypoints_3d', crop.points_3d)):
        if key in results:
            results[f'orig_{key}'] = results[key]
            results[key] = move(results[key])


def _read_augment(augment: Mapping[str, Any]) -> CropAugment:
    unknown = set(augment) - set(CropAugment._fields)
    if unknown:
        raise ConfigError(
            f'augment of HandCrop: unknown {sorted(unknown)}; known are {", ".join(CropAugment._fields)}'
        )
    ranges = CropAugment(**augment)
    low, high = ranges.scale
    if not (0 < low <= high and ranges.rotation >= 0 and ranges.translation >= 0 and 0 <= ranges.prob <= 1):
        raise ConfigError(
            'augment of HandCrop: rotation and translation must not be negative, scale must be (low, '
            'high) with '
            f'0 < low <= high and prob must lie in 0..1, got {ranges}'
        )
    return ranges
