"""The published layout of STB, its RealSense stream, for rendered samples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.structures import HandSkeleton
from mmdualhand.structures.stb_cameras import (
    COLOR_TO_DEPTH_ROTATION,
    COLOR_TO_DEPTH_TRANSLATION,
    IMAGE_SIZE,
    REALSENSE_COLOR,
    REALSENSE_DEPTH,
    STB_STREAMS,
)
from mmdualhand.synthesis.layouts.base import SPLITS, Job, SetRequest
from mmdualhand.synthesis.layouts.encoding import whole_millimetres, write_mat, write_png
from mmdualhand.synthesis.layouts.single_hand import HandAnnotation, SingleHandLayout
from mmdualhand.synthesis.posed_scene import Scene

SEQUENCES = {
    'train': tuple(f'B{number}{kind}' for number in range(2, 7) for kind in ('Counting', 'Random')),
    'test': ('B1Counting', 'B1Random'),
}
_WRIST, _RING_MCP = 0, 13


class STBLayout(SingleHandLayout):
    """STB: sequences of left hands, one person each, with the labels in the depth camera.

    Scene i belongs to sequence i modulo their number. Only the pictures of the
    RealSense (SK) are made, colour and the true view of its depth camera.
    """

    name = 'stb'
    title = 'STB'
    folder_name = 'STB'
    default_domain = 'stb'
    image_size = IMAGE_SIZE
    fixed_scene = {'two_hands_probability': 0.0, 'left_probability': 1.0}

    def scene(self, index: int, split: str, request: SetRequest) -> Scene:
        """See :meth:`Layout.scene`; the camera is the colour camera."""
        return self.draw_scene(index, split, request, IMAGE_SIZE, REALSENSE_COLOR)

    def person_number(self, index: int, split: str) -> int:
        """One person for every sequence."""
        return index % len(SEQUENCES[split])

    def multiples(self) -> dict[str, tuple[int, int]]:
        """At least one frame for every sequence."""
        return {split: (1, len(SEQUENCES[split])) for split in SPLITS}

    def folders(self, request: SetRequest) -> list[str]:
        """See :meth:`Layout.folders`."""
        wanted = [name for split in SPLITS if request.count(split) for name in SEQUENCES[split]]
        return ['labels', *(f'images/{name}' for name in wanted)]

    def write_job(self, root: Path, job: Job, request: SetRequest) -> HandAnnotation:
        """Write colour and depth of one frame."""
        split, index = job
        frame, sequence = divmod(index, len(SEQUENCES[split]))
        folder = f'images/{SEQUENCES[split][sequence]}'
        scene = self.scene(index, split, request)
        sample = self.colour(scene, index, split, request)
        write_png(root / folder / f'SK_color_{frame}.png', sample.rgb)
        write_png(root / folder / f'SK_depth_{frame}.png', encode_depth(depth_view(scene)))
        return HandAnnotation.of(f'{folder}/SK_color_{frame}.png', sample)

    def finish(self, root: Path, request: SetRequest, labels: Mapping[Job, Any]) -> None:
        """Write the label file of every sequence."""
        annotations: list[HandAnnotation] = []
        for split in SPLITS:
            for number, name in enumerate(SEQUENCES[split]):
                places = range(number, request.count(split), len(SEQUENCES[split]))
                rows = [labels[split, index] for index in places]
                if rows:
                    joints = np.array([one.xyz for one in rows])
                    write_mat(root / 'labels' / f'{name}_SK.mat', handPara=hand_para(joints))
                annotations += rows
        self.write_renderer_2d(root, annotations)


def depth_view(scene: Scene) -> np.ndarray:
    """What the depth camera sees of a scene of the colour camera: (H, W) float32 mm, 0 for nothing."""
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = COLOR_TO_DEPTH_ROTATION, COLOR_TO_DEPTH_TRANSLATION
    return scene.seen_from(REALSENSE_DEPTH, IMAGE_SIZE, motion).rasterise().depth


def encode_depth(depth_mm: np.ndarray) -> np.ndarray:
    """Depth as STB stores it: (H, W, 3) uint8 RGB, R + 256 G in whole mm, 0 where nothing stands."""
    low, high = whole_millimetres(depth_mm)
    return np.stack([low, high, np.zeros_like(low)], axis=-1)


def hand_para(joints: np.ndarray) -> np.ndarray:
    """Joints as STB labels them.

    Args:
        joints: (N, 21, 3) mm, colour camera, canonical order with the wrist.

    Returns:
        (3, 21, N) float64 mm, depth camera, palm centre (half way from the wrist
        to the ring MCP) and then pinky to thumb, base to tip.
    """
    raw = joints.copy()
    raw[:, _WRIST] = 0.5 * (joints[:, _WRIST] + joints[:, _RING_MCP])
    raw = STB_STREAMS['SK'].to_labels(HandSkeleton.from_dataset('stb').to_raw_block(raw))
    return np.ascontiguousarray(raw.transpose(2, 1, 0))
