"""What the layouts of single hands have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mmdualhand.synthesis.layouts.base import RENDERER_2D, Layout
from mmdualhand.synthesis.layouts.encoding import write_renderer_2d
from mmdualhand.synthesis.render import Sample


@dataclass(frozen=True, eq=False)
class HandAnnotation:
    """Labels of one picture of one hand.

    Attributes:
        picture: Path of the picture below the root of the set.
        xyz: (21, 3) float64 mm, camera frame, canonical order.
        uv: (21, 2) float64 pixels.
        camera: (3, 3) float64 intrinsics.
    """

    picture: str
    xyz: np.ndarray
    uv: np.ndarray
    camera: np.ndarray

    @classmethod
    def of(cls, picture: str, sample: Sample) -> HandAnnotation:
        """The labels of the only hand of a sample."""
        (hand,) = sample.hands
        return cls(picture, hand.xyz, hand.uv, sample.camera)


class SingleHandLayout(Layout):
    """A layout whose pictures show one hand, always of the same side."""

    fixed_scene: ClassVar[Mapping[str, Any]] = {'two_hands_probability': 0.0, 'left_probability': 0.0}

    @staticmethod
    def write_renderer_2d(root: Path, annotations: Sequence[HandAnnotation]) -> None:
        """Write picture names and the renderer's own 2D (N, 21, 2), canonical order, beside the set."""
        write_renderer_2d(
            root / RENDERER_2D,
            picture=np.array([one.picture for one in annotations], np.str_),
            uv=np.array([one.uv for one in annotations]).reshape(-1, 21, 2),
        )
