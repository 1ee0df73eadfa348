"""What is known about the published datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class DatasetFacts:
    """Known properties of a published dataset.

    Attributes:
        name: As the command calls it.
        title: As people call it.
        unit: Unit of the label files: ``'metre'``, ``'centimetre'`` or ``'millimetre'``, or ``'any'``
            where the reader finds it out.
        reference_mm: Median length of the bone 9-10 to be expected, lowest and highest.
        middle_finger_mm: Published lengths from root to middle MCP and of its three phalanges.
        root: Where the first joint lies, ``'wrist'`` or ``'palm'``.
        constant_bones: Whether every bone of a recording keeps its length.
        finger_bones_mm: Published lengths of the 15 phalanges, thumb to pinky, where constant.
        principal_point: Of every picture, px; None where it varies.
        focal_px: Shortest and longest published focal length.
        picture_size: (w, h) of every picture, None where it varies.
        reprojection_px: How far projected 3D may lie from stored 2D, mean over the joints of a hand.
        counts: Pictures of each split as published.
        unlabelled: Whether samples without any 3D label belong to it.
        crops: Whether pictures are crops whose intrinsics need not have been moved with them.
    """

    name: str
    title: str
    unit: str
    reference_mm: tuple[float, float]
    middle_finger_mm: tuple[float, ...] = ()
    root: str = 'wrist'
    constant_bones: bool = False
    finger_bones_mm: tuple[float, ...] = ()
    principal_point: tuple[float, float] | None = None
    picture_size: tuple[int, int] | None = None
    focal_px: tuple[float, float] | None = None
    reprojection_px: float = 2.0
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    unlabelled: bool = False
    crops: bool = False


FACTS: dict[str, DatasetFacts] = {
    facts.name: facts
    for facts in (
        DatasetFacts(
            'rhd', 'RHD', 'metre', (22.0, 60.0), (95.0, 36.9, 29.4, 29.8),
            principal_point=(160.0, 160.0), picture_size=(320, 320), reprojection_px=0.5,
            counts={'training': 41258, 'evaluation': 2728},
        ),
        DatasetFacts(
            'stb', 'STB', 'millimetre', (30.0, 56.0), (39.1, 40.0, 25.0, 21.0), root='palm',
            constant_bones=True,
            finger_bones_mm=(30, 28, 26, 34, 22, 20, 40, 25, 21, 37, 23, 20, 32, 15, 19),
            picture_size=(640, 480), counts={'train': 15000, 'test': 3000},
        ),
        DatasetFacts(
            'freihand', 'FreiHAND v2', 'metre', (18.0, 60.0),
            principal_point=(112.0, 112.0), picture_size=(224, 224), focal_px=(204.0, 1130.0),
            counts={'training': 130240, 'evaluation': 3960}, unlabelled=True,
        ),
        DatasetFacts('h3d', 'H3D (crops)', 'any', (15.0, 80.0), crops=True),
        DatasetFacts(
            'mvhand', 'MVHand', 'millimetre', (15.0, 60.0), (102.9, 23.4, 21.0, 17.0),
            picture_size=(640, 480),
        ),
        DatasetFacts(
            'ge_real', 'real photos of Ge et al.', 'centimetre', (30.0, 63.0), (80.1, 49.0),
            picture_size=(256, 256), counts={'all': 583}, unlabelled=True,
        ),
        DatasetFacts('coco', 'COCO-style annotation', 'millimetre', (15.0, 80.0), unlabelled=True),
    )
}  # fmt: skip
"""Name to facts. Lengths: RHD three real frames, STB the label file of B1Counting, Ge all 583 photos,
MVHand a comment of its authors; the ranges leave room for other people and for the embedded sets."""

UNIT_MM = {'metre': 1000.0, 'centimetre': 10.0, 'millimetre': 1.0}
"""Length of a unit, mm."""
