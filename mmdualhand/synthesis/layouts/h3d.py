"""The layout of H3D_crop, the crops of Hand-3D-Studio in common use, for rendered samples."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.structures.h3d_split import h3d_split
from mmdualhand.synthesis.layouts.base import LAYOUT_STREAM, Job, SetRequest
from mmdualhand.synthesis.layouts.encoding import write_jpg, write_json
from mmdualhand.synthesis.layouts.single_hand import HandAnnotation, SingleHandLayout
from mmdualhand.synthesis.posed_scene import Scene

PARTS = 5

OBJECT = 'object'
"""Split of the pictures with a held object; readers leave them out by default."""

_OBJECT_EVERY = 10  # after so many pictures without object comes one with
_FRAME = 960  # side of the uncropped picture, px
_FOCAL_RATIO = (1.2, 1.5)
_HAND_SIZE = (0.115, 0.20)  # of the frame
_CROP_FACTOR = (1.4, 1.6)
_CROP_SHIFT = 0.05


class H3DLayout(SingleHandLayout):
    """H3D_crop: square crops of several sizes of larger pictures, K moved with the crop, right hands.

    The reader shuffles the pictures without object and splits them; the same is
    done here before anything is drawn, so that test pictures show other persons.
    ``num_train + num_test`` pictures are without object, whatever their ratio is;
    one for every ten of them, in addition, shows a held object.
    """

    name = 'h3d'
    title = 'H3D'
    folder_name = 'H3D_crop'
    default_domain = 'h3d'
    fixed_scene = {
        **SingleHandLayout.fixed_scene,
        'object_probability': 0.0,
        'hand_size': _HAND_SIZE,
        'center_jitter': 0.1,
    }

    def scene(self, index: int, split: str, request: SetRequest) -> Scene:
        """See :meth:`Layout.scene`; split :data:`OBJECT` has the pictures with a held object."""
        rng = self.rng(request, split, index, LAYOUT_STREAM)
        focal = rng.uniform(*_FOCAL_RATIO) * _FRAME
        camera = np.array([[focal, 0.0, _FRAME / 2], [0.0, focal, _FRAME / 2], [0.0, 0.0, 1.0]])
        held = {'object_probability': 1.0, 'min_joints_beside_props': 0}
        changes = held if split == OBJECT else {}
        scene = self.draw_scene(index, split, request, (_FRAME, _FRAME), camera, **changes)
        return cropped(scene, rng)

    def jobs(self, request: SetRequest) -> list[Job]:
        """In the order of ``annotation.json``."""
        return list(_rows(request.num_train + request.num_test))

    def counts(self, request: SetRequest) -> dict[str, int]:
        """Pictures as the reader splits them, and those with an object, which it leaves out by default."""
        splits = [split for split, _ in self.jobs(request)]
        return {split: splits.count(split) for split in ('train', 'test', OBJECT)}

    def folders(self, request: SetRequest) -> list[str]:
        """See :meth:`Layout.folders`."""
        return [f'part{part + 1}' for part in range(PARTS)]

    def write_job(self, root: Path, job: Job, request: SetRequest) -> HandAnnotation:
        """Write one crop."""
        rows = _rows(request.num_train + request.num_test)
        (sample,) = self.render_job(job, request)
        name = f'part{1 + rows[job] * PARTS // len(rows)}/{rows[job]:05d}.jpg'
        write_jpg(root / name, sample.rgb)
        return HandAnnotation.of(name, sample)

    def finish(self, root: Path, request: SetRequest, labels: Mapping[Job, Any]) -> None:
        """Write ``annotation.json``."""
        jobs = self.jobs(request)
        annotations: list[HandAnnotation] = [labels[job] for job in jobs]
        content = [
            {
                'name': one.picture,
                'keypoint2d': one.uv.tolist(),
                'keypoint3d': one.xyz.tolist(),
                'intrinsic_matrix': one.camera.tolist(),
                'without_object': int(split != OBJECT),
            }
            for (split, _), one in zip(jobs, annotations, strict=True)
        ]
        write_json(root / 'annotation.json', content)
        self.write_renderer_2d(root, annotations)


@lru_cache(maxsize=4)
def _rows(count: int) -> dict[Job, int]:
    """Job to row of the annotation, for ``count`` pictures without object and those with one."""
    test = set(h3d_split(count)['test'].tolist())
    rows: dict[Job, int] = {}
    number = {'train': 0, 'test': 0, OBJECT: 0}
    for kept in range(count):
        for split in ('test' if kept in test else 'train', OBJECT):
            if split != OBJECT or kept % _OBJECT_EVERY == _OBJECT_EVERY - 1:
                rows[split, number[split]] = len(rows)
                number[split] += 1
    return rows


def cropped(scene: Scene, rng: np.random.Generator) -> Scene:
    """A square about the hand, with the camera of the crop."""
    uv = scene.hands[0].uv
    low, high = uv.min(axis=0), uv.max(axis=0)
    extent = float((high - low).max())
    side = int(round(extent * rng.uniform(*_CROP_FACTOR)))
    center = 0.5 * (low + high) + extent * rng.uniform(-_CROP_SHIFT, _CROP_SHIFT, 2)
    corner = np.rint(center - 0.5 * side)
    camera = np.array(scene.camera)
    camera[:2, 2] -= corner
    return scene.seen_from(camera, (side, side), np.eye(4))
