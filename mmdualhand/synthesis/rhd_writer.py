"""The published layout of RHD, the Rendered Handpose Dataset, for rendered samples."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mmdualhand.structures import Camera, HandSkeleton
from mmdualhand.synthesis.render import HandLabel, Sample

FOLDER_NAME = 'RHD_published_v2'
SPLITS = ('training', 'evaluation')
SIDES = ('left', 'right')
RENDERER_2D = 'renderer_uv.npz'
"""Side file of every split: the renderer's own 2D, to check the labels against; no reader opens it."""

_FAR_MM = 5000.0
_FOLDERS = ('color', 'depth', 'mask')
_PNG_COMPRESSION = 2


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


def make_folders(root: Path, splits: Sequence[str] = SPLITS) -> None:
    """Make the folders that pictures go to."""
    for split in splits:
        for name in _FOLDERS:
            (root / split / name).mkdir(parents=True)


def write_pictures(folder: Path, index: int, sample: Sample) -> None:
    """Write colour, depth and mask of one picture.

    Args:
        folder: The folder of the split.
        index: Number of the picture.
        sample: The rendered sample.

    Raises:
        OSError: A file could not be written.
    """
    stored = {
        'color': sample.rgb[..., ::-1],
        'depth': encode_depth(sample.depth)[..., ::-1],
        'mask': sample.mask,
    }
    for name, picture in stored.items():
        path = folder / name / f'{index:05d}.png'
        options = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_COMPRESSION]
        done, data = cv2.imencode('.png', np.ascontiguousarray(picture), options)
        if not done:
            raise OSError(f'{path} could not be encoded')
        path.write_bytes(data.tobytes())


def write_annotations(folder: Path, annotations: Sequence[Annotation]) -> None:
    """Write the annotation file of a split and the renderer's own 2D beside it.

    Args:
        folder: The folder of the split; its name is part of the file's name.
        annotations: One for every picture, in order.
    """
    table = {
        index: {'uv_vis': one.uv_vis, 'xyz': one.xyz, 'K': one.camera}
        for index, one in enumerate(annotations)
    }
    with open(folder / f'anno_{folder.name}.pickle', 'wb') as file:
        pickle.dump(table, file, protocol=2)
    np.savez(
        folder / RENDERER_2D,
        uv=np.array([one.renderer_uv for one in annotations]).reshape(-1, 42, 2),
        drawn=np.array([one.drawn for one in annotations], bool).reshape(-1, 2),
    )
