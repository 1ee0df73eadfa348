"""The published layout of RHD, the Rendered Handpose Dataset, for rendered samples."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmdualhand.structures import Camera, HandSkeleton
from mmdualhand.synthesis.layouts.base import RENDERER_2D, SPLITS, Job, Layout, SetRequest
from mmdualhand.synthesis.layouts.encoding import write_png, write_renderer_2d
from mmdualhand.synthesis.posed_scene import Scene
from mmdualhand.synthesis.render import FILLER_STREAM, HandLabel, Sample

SIDES = ('left', 'right')

_FAR_MM = 5000.0
_PICTURES = ('color', 'depth', 'mask')
_FOLDERS = {'train': 'training', 'test': 'evaluation'}
_IMAGE_SIZE = 320


@dataclass(frozen=True, eq=False)
class Annotation:
    """Labels of one picture in RHD's joint order, both hands.

    Attributes:
        uv_vis: (42, 3) float32 pixels and visibility.
        xyz: (42, 3) float32 metres, camera frame.
        camera: (3, 3) float32 intrinsics.
        renderer_uv: (42, 2) float64 pixels before any rounding.
        drawn: (2,) bool, whether the left and the right hand are in the picture.
    """

    uv_vis: np.ndarray
    xyz: np.ndarray
    camera: np.ndarray
    renderer_uv: np.ndarray
    drawn: np.ndarray


class RHDLayout(Layout):
    """RHD: square pictures of one or two hands with depth and part labels; every picture a new person."""

    name = 'rhd'
    title = 'RHD'
    folder_name = 'RHD_published_v2'
    default_domain = 'source'
    any_size = True

    def scene(self, index: int, split: str, request: SetRequest) -> Scene:
        """See :meth:`Layout.scene`."""
        side = request.image_size or _IMAGE_SIZE
        return self.draw_scene(index, split, request, (side, side))

    def identity(self, index: int, split: str, request: SetRequest) -> None:
        """No person: scene and look draw one for every picture."""
        return None

    def counts(self, request: SetRequest) -> dict[str, int]:
        """Pictures of ``training`` and ``evaluation``."""
        return {_FOLDERS[split]: request.count(split) for split in SPLITS}

    def folders(self, request: SetRequest) -> list[str]:
        """See :meth:`Layout.folders`."""
        return [f'{folder}/{name}' for folder in _FOLDERS.values() for name in _PICTURES]

    def write_job(self, root: Path, job: Job, request: SetRequest) -> Annotation:
        """Write colour, depth and mask of one picture."""
        split, index = job
        (sample,) = self.render_job(job, request)
        stored = {'color': sample.rgb, 'depth': encode_depth(sample.depth), 'mask': sample.mask}
        for name, picture in stored.items():
            path = root / _FOLDERS[split] / name / f'{index:05d}.png'
            write_png(path, picture, cv2.IMWRITE_PNG_STRATEGY_DEFAULT)
        return annotate(sample, self.rng(request, split, index, FILLER_STREAM))

    def finish(self, root: Path, request: SetRequest, labels: Mapping[Job, Any]) -> None:
        """Write ``anno_*.pickle`` of both splits."""
        for split in SPLITS:
            rows = [labels[split, index] for index in range(request.count(split))]
            _write_annotations(root / _FOLDERS[split], rows)

    def note_size(self, request: SetRequest) -> Any:
        """See :meth:`Layout.note_size`."""
        return request.image_size or _IMAGE_SIZE


def encode_depth(depth_mm: np.ndarray) -> np.ndarray:
    """Depth as RHD stores it.

    Args:
        depth_mm: (H, W) mm, 0 where nothing stands.

    Returns:
        (H, W, 3) uint8 RGB: (R * 256 + G) / 65535 * 5 m; the background and all
        beyond is 5 m.
    """
    clipped = np.where(depth_mm > 0, np.minimum(depth_mm, _FAR_MM), _FAR_MM)
    code = np.rint(clipped.astype(np.float64) / _FAR_MM * 65535).astype(np.uint32)
    return np.stack([code >> 8, code & 255, np.zeros_like(code)], axis=-1).astype(np.uint8)


def hand_out_of_frame(
    shown: HandLabel, camera: np.ndarray, width: int, rng: np.random.Generator
) -> HandLabel:
    """The other hand of a person of whom one hand is drawn: outside the picture, nothing visible.

    Args:
        shown: The drawn hand.
        camera: (3, 3) intrinsics.
        width: Columns of the picture.
        rng: Generator of its distance from the edge.

    Returns:
        The mirror image of the drawn hand, left or right of the picture at the
        same depth, with visibility 0.
    """
    xyz = shown.xyz * [-1.0, 1.0, 1.0]
    margin, to_the_right = rng.uniform(10.0, 80.0), rng.random() < 0.5
    ray = ((width + margin if to_the_right else -margin) - camera[0, 2]) / camera[0, 0]
    shifts = ray * xyz[:, 2] - xyz[:, 0]
    xyz = xyz + [shifts.max() if to_the_right else shifts.min(), 0.0, 0.0]
    side = SIDES[1 - SIDES.index(shown.side)]
    return HandLabel(side, xyz, Camera(camera).project(xyz), np.zeros(len(xyz), np.float32))


def annotate(sample: Sample, rng: np.random.Generator) -> Annotation:
    """Labels of a picture in RHD's order.

    Args:
        sample: The rendered sample.
        rng: Generator of the hand that is not drawn, where there is one.

    Returns:
        The annotation of both hands.
    """
    labels = {hand.side: hand for hand in sample.hands}
    drawn = np.array([side in labels for side in SIDES])
    for side in SIDES:
        if side not in labels:
            shown = next(iter(sample.hands))
            labels[side] = hand_out_of_frame(shown, sample.camera, sample.mask.shape[1], rng)
    uv_vis, xyz, exact = np.zeros((42, 3), np.float32), np.zeros((42, 3), np.float32), np.zeros((42, 2))
    for block, side in enumerate(SIDES):
        skeleton, hand = HandSkeleton.from_dataset(f'rhd_{side}'), labels[side]
        rows = slice(21 * block, 21 * block + 21)
        exact[rows] = skeleton.to_raw_block(hand.uv)
        uv_vis[rows, :2] = exact[rows]
        uv_vis[rows, 2] = skeleton.to_raw_block(hand.visible, axis=0)
        xyz[rows] = skeleton.to_raw_block(hand.xyz) / 1000.0
    return Annotation(uv_vis, xyz, sample.camera.astype(np.float32), exact, drawn)


def _write_annotations(folder: Path, annotations: Sequence[Annotation]) -> None:
    """Write the annotation file of a split and the renderer's own 2D beside it."""
    table = {
        index: {'uv_vis': one.uv_vis, 'xyz': one.xyz, 'K': one.camera}
        for index, one in enumerate(annotations)
    }
    with open(folder / f'anno_{folder.name}.pickle', 'wb') as file:
        pickle.dump(table, file, protocol=2)
    write_renderer_2d(
        folder / RENDERER_2D,
        uv=np.array([one.renderer_uv for one in annotations]).reshape(-1, 42, 2),
        drawn=np.array([one.drawn for one in annotations], bool).reshape(-1, 2),
    )
