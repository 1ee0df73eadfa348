"""The same scenes in two looks, kept in memory: the data of the domain-gap measurement."""

from __future__ import annotations

import multiprocessing
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch.utils.data import Dataset

from mmdualhand.compat import replace_file
from mmdualhand.datasets.transforms import HandCrop, NormalizeDepth, PackHandInputs
from mmdualhand.structures import Camera, CropTransform
from mmdualhand.synthesis import Sample, Scene, get_domain
from mmdualhand.synthesis.layouts import LAYOUTS, SetRequest

LOOKS = ('source', 'target')
PICTURE_SIDE = 176
"""Side of the kept pictures, px; they show twice the extent of the joints."""
_EXTENT_FACTOR = 2.0


@dataclass(frozen=True, eq=False)
class LookSet:
    """N pictures of single hands in one look.

    Attributes:
        image: (N, S, S, 3) uint8 RGB.
        depth: (N, S, S) float32 mm, 0 where nothing stands.
        mask: (N, S, S) uint8, 1 on the hand.
        camera: (N, 3, 3) float64 intrinsics of the pictures.
        joints: (N, 21, 3) float64 mm, camera frame.
        left: (N,) bool, left hands.
    """

    image: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    camera: np.ndarray
    joints: np.ndarray
    left: np.ndarray

    def save(self, path: Path) -> None:
        """Write all arrays to one npz file, in one step."""
        partial = path.with_name(f'.{path.name}.partial.npz')
        np.savez(partial, **{field.name: getattr(self, field.name) for field in fields(self)})
        replace_file(partial, path)

    @classmethod
    def load(cls, path: Path) -> LookSet:
        """Read what :meth:`save` wrote."""
        with np.load(path) as content:
            return cls(**{field.name: content[field.name] for field in fields(cls)})


class LookDataset(Dataset):
    """A :class:`LookSet` behind the ordinary crop and packing.

    Args:
        pictures: The pictures.
        input_size: Side of the crop, px.
        augment: Geometric augmentation of ``HandCrop``, or None.
        seed: Seed of the augmentation.
    """

    def __init__(
        self, pictures: LookSet, input_size: int, augment: dict[str, Any] | None = None, seed: int = 0
    ) -> None:
        self.pictures, self.seed, self.epoch = pictures, seed, 0
        crop: Any = HandCrop(input_size, augment=augment)
        self._pipeline = [crop, NormalizeDepth(), PackHandInputs()]

    def __len__(self) -> int:
        return len(self.pictures.image)

    def __getitem__(self, index: int) -> dict[str, Any]:
        one, joints = self.pictures, self.pictures.joints[index]
        results: dict[str, Any] = {
            'sample_id': str(index),
            'img_path': '',
            'dataset_name': 'rendered looks',
            'hand_side': 'left' if one.left[index] else 'right',
            'camera': one.camera[index],
            'keypoints_2d': Camera(one.camera[index]).project(joints),
            'keypoints_3d': joints,
            'keypoints_visible': np.ones(len(joints), np.float32),
            'img': one.image[index],
            'depth': one.depth[index],
            'mask': one.mask[index],
            'rng': np.random.default_rng([self.seed, self.epoch, index]),
        }
        for transform in self._pipeline:
            results = transform.transform(results)
        return results


@dataclass(frozen=True)
class _Renderer:
    """Renders one scene in the looks, in the order of ``LOOKS``; sent to every process."""

    target: str
    split: str
    request: SetRequest

    def __call__(self, index: int) -> list[tuple[np.ndarray, ...]]:
        layout = LAYOUTS[self.target]
        scene = layout.scene(index, self.split, self.request)
        seen = scene.window(*_window(scene))
        plain = replace(self.request, look='source')
        return [
            _row(layout.colour(seen.without_props(), index, self.split, plain)),
            _row(layout.colour(seen, index, self.split, self.request)),
        ]


def _window(scene: Scene) -> tuple[int, int, int, int]:
    """Left, top, width and height of the part of a picture about its hand."""
    uv = scene.hands[0].uv
    low, high = uv.min(axis=0), uv.max(axis=0)
    half = 0.5 * _EXTENT_FACTOR * float((high - low).max())
    center, size = (low + high) / 2, np.array(scene.image_size)
    first = np.clip(np.floor(center - half), 0, size - 8).astype(int)
    last = np.clip(np.ceil(center + half) + 1, first + 8, size).astype(int)
    return int(first[0]), int(first[1]), int(last[0] - first[0]), int(last[1] - first[1])


def _row(sample: Sample) -> tuple[np.ndarray, ...]:
    """Picture, depth, mask, camera, joints and side of a sample, all of one size."""
    hand = sample.hands[0]
    low, high = hand.uv.min(axis=0), hand.uv.max(axis=0)
    height, width = sample.mask.shape
    side = _EXTENT_FACTOR * float((high - low).max())
    crop = CropTransform.from_box((low + high) / 2, side, (PICTURE_SIDE, PICTURE_SIDE), (width, height))
    labels = (2, 17) if hand.side == 'left' else (18, 33)
    mask = ((sample.mask >= labels[0]) & (sample.mask <= labels[1])).astype(np.uint8)
    return (
        crop.image(sample.rgb, 'linear'),
        crop.image(sample.depth, 'nearest'),
        crop.image(mask, 'nearest'),
        crop.camera(Camera(sample.camera)).K,
        hand.xyz,
        np.array(hand.side == 'left'),
    )


def render_looks(
    target: str,
    split: str,
    count: int,
    *,
    seed: int,
    workers: int,
    folder: Path,
    on_scene: Callable[[], None] | None = None,
) -> dict[str, Path]:
    """Draw ``count`` scenes of a target's geometry in the source's look and in its own.

    Args:
        target: Name of a layout, for example ``'stb'``.
        split: ``'train'`` or ``'test'``; the two share neither hands nor backgrounds.
        count: Number of scenes.
        seed: Seed of the scenes.
        workers: Processes.
        folder: Where the pictures are kept; what is there from the same settings
            is not drawn again.
        on_scene: Called after every scene.

    Returns:
        ``{'source': path, 'target': path}`` of the two :class:`LookSet` files.
    """
    sizes = {'train': 4, 'test': 4, split: count}
    request = SetRequest(target, sizes['train'], sizes['test'], seed)
    key = zlib.crc32(repr((target, split, count, seed, _settings(target))).encode())
    paths = {look: folder / f'{target}_{split}_{look}_{key:08x}.npz' for look in LOOKS}
    if all(path.is_file() for path in paths.values()):
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    columns: dict[str, list[tuple[np.ndarray, ...]]] = {look: [] for look in LOOKS}
    for rows in _map(_Renderer(target, split, request), range(count), workers):
        for look, row in zip(LOOKS, rows, strict=True):
            columns[look].append(row)
        if on_scene is not None:
            on_scene()
    for look, path in paths.items():
        LookSet(*(np.stack(values) for values in zip(*columns[look], strict=True))).save(path)
    return paths


def _settings(target: str) -> list[Any]:
    domains = get_domain('source'), get_domain(LAYOUTS[target].default_domain)
    return [sorted((str(key), repr(value)) for part in (one.scene, one.look) for key, value in part.items())
            for one in domains]  # fmt: skip


def _map(worker: Callable[[int], Any], jobs: Sequence[int], workers: int) -> Iterator[Any]:
    context = multiprocessing.get_context('spawn')
    with context.Pool(workers, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield from pool.imap(worker, jobs, chunksize=4)
