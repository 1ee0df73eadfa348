"""How far two forms of a network are apart, in pixels and millimetres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch

from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError

FOLDED_BOUND = 0.01
"""Largest shift by folding, px of the crop and mm."""
EXPORTED_BOUND = 0.05
"""Largest shift by an exported file, px of the crop and mm."""
MAP_BOUND = 0.01
"""Largest change of the raw confidence, the mask and the depth map, all in 0..1."""

ROOT_DEPTH_MM = 600.0
REF_LENGTH_MM = 45.0
CROP_SIDE_MM = 270.0
"""A grown-up's hand at arm's length: what 3D is lifted with, so that a shift can be said in mm."""


@dataclass(frozen=True)
class Parity:
    """Largest differences of two forms over all joints of all crops.

    Attributes:
        name: What is compared.
        pixels: 2D, px of the crop.
        millimetres: 3D, lifted with a made-up camera; None for a network of 2D heat maps.
        confidence: Of the raw confidence.
        bound: For ``pixels`` and ``millimetres``; :data:`MAP_BOUND` then is that of the others.
            None where the differences are only told.
        maps: Of mask and depth map; None for a network without them.
        mean_pixels: 2D, px of the crop, the mean over joints and crops in place of the largest.
        mean_bound: For ``mean_pixels``, where the mean is what counts; None otherwise.
    """

    name: str
    pixels: float
    millimetres: float | None
    confidence: float
    bound: float | None = None
    maps: float | None = None
    mean_pixels: float = 0.0
    mean_bound: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the differences are within the bounds; one that is no number is not."""
        if self.mean_bound is not None:
            others = (self.pixels, self.millimetres, self.confidence, self.maps)
            finite = all(value is None or np.isfinite(value) for value in others)
            return bool(finite and self.mean_pixels <= self.mean_bound)
        if self.bound is None:
            return True
        limits = ((self.bound, (self.pixels, self.millimetres)), (MAP_BOUND, (self.confidence, self.maps)))
        return all(value is None or value <= limit for limit, values in limits for value in values)

    def __str__(self) -> str:
        """One line for the terminal."""
        depth = '      -    ' if self.millimetres is None else f'{self.millimetres:8.5f} mm'
        rest = f'confidence {self.confidence:.5f}'
        if self.maps is not None:
            rest += f'  maps {self.maps:.5f}'
        if self.mean_bound is not None:
            bound = f'  (mean {self.mean_pixels:.5f} px, allowed {self.mean_bound:g})'
        elif self.bound is None:
            bound = f'  (mean {self.mean_pixels:.5f} px)'
        else:
            bound = f'  (allowed {self.bound:g}, then {MAP_BOUND:g})'
        return f'{self.name:34} {self.pixels:9.5f} px  {depth}  {rest}{bound}'


def compare(
    name: str,
    expected: Mapping[str, np.ndarray],
    found: Mapping[str, np.ndarray],
    input_size: tuple[int, int],
    bound: float | None = None,
) -> Parity:
    """Compare what two forms of a network say of the same crops.

    Args:
        name: For the report.
        expected: Result of a runner, the reference.
        found: Result of the other.
        input_size: ``(w, h)`` of the crops.
        bound: Largest difference of the joints that is allowed, px of the crop and mm.
    """
    shift = np.abs(np.asarray(found['keypoints'], np.float64) - expected['keypoints'])
    spread = np.abs(np.asarray(found['confidence_raw'], np.float64) - expected['confidence_raw'])
    lifted = None
    if not np.isnan(expected['pose25d'][..., 2]).all():
        apart = _lift(found['pose25d'], input_size) - _lift(expected['pose25d'], input_size)
        lifted = float(np.linalg.norm(apart, axis=-1).max())
    moved = np.hypot(shift[..., 0], shift[..., 1])
    changes = [np.abs(found[key] - expected[key]).max() for key in ('mask', 'depth_map') if key in expected]
    maps = float(np.max(changes)) if changes else None
    return Parity(name, float(moved.max()), lifted, float(spread.max()), bound, maps, float(moved.mean()))


def require(parity: Parity) -> Parity:
    """Refuse a form of a network that predicts something else.

    Raises:
        ConfigError: The differences are beyond the bound.
    """
    if not parity.holds:
        raise ConfigError(
            f'{parity.name} predicts something else than the network it was made of, so nothing is written: '
            f'{" ".join(str(parity).split())}. Please report this with the config of the network; another '
            'version of torch, onnx or onnxruntime may help'
        )
    return parity


def made_up_crops(input_size: tuple[int, int], count: int = 4, seed: int = 0) -> np.ndarray:
    """Crops without meaning: soft blobs of colour with some noise.

    Args:
        input_size: ``(w, h)``, px.
        count: B.
        seed: Of the colours.

    Returns:
        ``(B, h, w, 3)`` uint8.
    """
    rng = np.random.default_rng(seed)
    crops = []
    for _ in range(count):
        blobs = rng.uniform(0, 255, (6, 6, 3)).astype(np.float32)
        smooth = cv2.resize(blobs, input_size, interpolation=cv2.INTER_CUBIC)
        crops.append(np.clip(smooth + rng.normal(0, 8, smooth.shape), 0, 255).astype(np.uint8))
    return np.stack(crops)


def _lift(pose25d: Any, input_size: tuple[int, int]) -> np.ndarray:
    """(B, 21, 3) mm."""
    pose = torch.as_tensor(np.asarray(pose25d, np.float64))
    width, height = input_size
    focal = max(input_size) * ROOT_DEPTH_MM / CROP_SIDE_MM
    camera = torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]], dtype=torch.float64)
    each = torch.ones(len(pose), dtype=torch.float64)
    codec = Pose25D(input_size)
    return codec.lift(
        pose, camera.expand(len(pose), 3, 3), ROOT_DEPTH_MM * each, REF_LENGTH_MM * each
    ).numpy()
