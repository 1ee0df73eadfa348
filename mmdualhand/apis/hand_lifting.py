"""From the 2.5D pose of a crop to 3D joints, as far as what is known allows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch

from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError
from mmdualhand.kinematics import SOURCE_TEMPLATE, HandTemplate, solve_root_depth, solve_weak_scale
from mmdualhand.structures import ROOT_JOINT, Camera, CropTransform


@dataclass(frozen=True, eq=False)
class LiftingFacts:
    """What is known of camera and hand beside the picture.

    Attributes:
        camera: Of the upright picture, or None.
        ref_length: Length of the reference bone (9-10), mm, or None.
        root_depth: Depth of the root (joint 9), mm, or None.
    """

    camera: Camera | None = None
    ref_length: float | None = None
    root_depth: float | None = None

    @classmethod
    def read(cls, camera: Any = None, ref_length: Any = None, root_depth: Any = None) -> LiftingFacts:
        """Check what the user gave.

        Args:
            camera: :class:`Camera`, (3, 3) intrinsics, or fx, fy, cx, cy, px.
            ref_length: mm; needs the camera.
            root_depth: mm; needs the camera.

        Raises:
            ConfigError: A value without meaning.
        """
        length, depth = _millimetres('ref_length', ref_length), _millimetres('root_depth', root_depth)
        for name, value in (('root_depth', depth), ('ref_length', length)):
            if value is not None and camera is None:
                raise ConfigError(f'{name} says nothing without camera: give camera=(fx, fy, cx, cy) too')
        return cls(_read_camera(camera), length, depth)


class LiftedHand(NamedTuple):
    """3D joints of a hand in the camera frame of the picture.

    Attributes:
        relative: (21, 3) float64 relative to the root, in reference bones; NaN for a 2D network.
        metric: (21, 3) float64 mm, or None.
        source: ``'none'``, ``'given'`` or ``'solved'``: where the root depth of ``metric`` is from.
    """

    relative: np.ndarray
    metric: np.ndarray | None
    source: str


@torch.no_grad()
def lift_hand(pose25d: np.ndarray, crop: CropTransform, facts: LiftingFacts) -> LiftedHand:
    """Lift one hand.

    Without a camera the hand is seen under weak perspective: x and y are scaled so that the
    palm has the size of the template. With one, rays are exact, and the root depth is that at
    which the palm has its size (Iqbal et al., ECCV 2018). Millimetres need the camera and the
    length of the reference bone or the root depth; the one that is not given follows from the
    palm. Where no bone of the predicted palm can have its length, nothing is solved.

    Args:
        pose25d: (21, 3) on the 64-grid of the crop.
        crop: Where the crop is in the picture.
        facts: What is known.
    """
    if not np.isfinite(pose25d).all():
        return LiftedHand(np.full((21, 3), np.nan), None, 'none')
    codec, palm = _codec(crop.output_size), _palm()
    pose = torch.from_numpy(np.array(pose25d, np.float64))[None]
    if facts.camera is None:
        return LiftedHand(crop.inverse_points_3d(_weak(pose, codec, crop, palm)), None, 'none')
    camera = torch.from_numpy(np.array(crop.camera(facts.camera).K))[None]
    one = torch.ones(1, dtype=torch.float64)
    rays = codec.lift(pose, camera, one, 0.0 * one)[..., :2]
    depth, solved = solve_root_depth(rays, pose[..., 2], palm)
    root, length, source = _scale(facts, float(depth), bool(solved))
    if source != 'none':
        xyz = codec.lift(pose, camera, root * one, length * one)[0].numpy()
        relative = (xyz - xyz[ROOT_JOINT]) / length
        return LiftedHand(crop.inverse_points_3d(relative), crop.inverse_points_3d(xyz), source)
    if not solved:
        return LiftedHand(crop.inverse_points_3d(_weak(pose, codec, crop, palm)), None, 'none')
    xyz = codec.lift(pose, camera, depth, one)[0].numpy()
    return LiftedHand(crop.inverse_points_3d(xyz - xyz[ROOT_JOINT]), None, 'none')


def _scale(facts: LiftingFacts, depth: float, solved: bool) -> tuple[float, float, str]:
    """Root depth and reference length, mm, and where the depth is from."""
    root, length = facts.root_depth, facts.ref_length
    if root is not None and length is not None:
        return root, length, 'given'
    if not solved or (root is None and length is None):
        return 0.0, 0.0, 'none'
    if root is not None:
        return root, root / depth, 'given'
    return depth * float(length or 0.0), float(length or 0.0), 'solved'


def _weak(pose: torch.Tensor, codec: Pose25D, crop: CropTransform, palm: torch.Tensor) -> np.ndarray:
    """(21, 3) relative to the root in the frame of the crop, under weak perspective."""
    grid = torch.tensor(codec.grid_size, dtype=pose.dtype)
    pixels = pose[..., :2] * (torch.tensor(crop.output_size, dtype=pose.dtype) / grid)
    scale, _ = solve_weak_scale(pixels, pose[..., 2], palm)
    flat = (pixels - pixels[:, ROOT_JOINT : ROOT_JOINT + 1]) * scale[:, None, None]
    deep = pose[..., 2:] - pose[:, ROOT_JOINT : ROOT_JOINT + 1, 2:]
    return torch.cat([flat, deep], -1)[0].numpy()


@lru_cache(maxsize=8)
def _codec(size: tuple[int, int]) -> Pose25D:
    return Pose25D(input_size=size)


@lru_cache(maxsize=1)
def _palm() -> torch.Tensor:
    return torch.as_tensor(HandTemplate.load(SOURCE_TEMPLATE).palm, dtype=torch.float64)


def _millimetres(name: str, value: Any) -> float | None:
    """A length; text is no number."""
    if value is None:
        return None
    try:
        number = float('nan') if isinstance(value, str | bytes) or np.ndim(value) else float(value)
    except (TypeError, ValueError):
        number = float('nan')
    if not (np.isfinite(number) and number > 0):
        raise ConfigError(f'{name} must be a positive number of millimetres, got {value!r}')
    return number


def _read_camera(camera: Any) -> Camera | None:
    """Intrinsics of an upright picture: unlike those of a crop they are not mirrored."""
    if camera is None:
        return None
    found = camera if isinstance(camera, Camera) else _intrinsics(camera)
    fx, fy = float(found.K[0, 0]), float(found.K[1, 1])
    if not (fx > 0 and fy > 0):
        raise ConfigError(f'camera must have positive focal lengths, got fx {fx:g} and fy {fy:g} px')
    return found


def _intrinsics(camera: Any) -> Camera:
    try:
        values = np.asarray(camera, np.float64)
        if values.shape == (4,):
            fx, fy, cx, cy = values
            values = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
        return Camera(values)
    except (TypeError, ValueError) as error:
        message = f'camera must be (3, 3) intrinsics or (fx, fy, cx, cy) in pixels: {error}'
        raise ConfigError(message) from error
