"""The published layout of FreiHAND v2 for rendered samples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.structures import REFERENCE_BONE
from mmdualhand.synthesis.layouts.backgrounds import GREEN_SCREEN, draw_kind
from mmdualhand.synthesis.layouts.base import BACKGROUND_STREAM, LAYOUT_STREAM, SPLITS, Job, SetRequest
from mmdualhand.synthesis.layouts.encoding import write_jpg, write_json, write_png
from mmdualhand.synthesis.layouts.single_hand import HandAnnotation, SingleHandLayout
from mmdualhand.synthesis.posed_scene import Scene
from mmdualhand.synthesis.render import LOOK_STREAM, Sample, render_backgrounds

VERSIONS = 4
"""Background versions of a training picture, the green screen first."""

_SIDE = 224
_FOLDERS = {'train': 'training', 'test': 'evaluation'}
# Of the published evaluation cameras: median, deviation of the logarithm and range of fx, range of fy / fx.
_FOCAL_MEDIAN, _FOCAL_LOG_SD, _FOCAL_RANGE, _ASPECT_RANGE = 492.5, 0.213, (204.0, 1130.0), (0.9976, 1.0019)


class FreiHANDLayout(SingleHandLayout):
    """FreiHAND: right hands in pictures of 224 px, a camera for each, training pictures in four versions.

    Scene i is the one of unique id i. Picture ``unique + n_unique * version``
    shows it before another background; version 0 is a green screen and alone has
    a mask, of hand and arm. Evaluation labels are those of the later release, in
    the same folder. MANO parameters and vertices are not made.
    """

    name = 'freihand'
    title = 'FreiHAND'
    folder_name = 'FreiHAND_pub_v2'
    default_domain = 'freihand'
    image_size = (_SIDE, _SIDE)

    def scene(self, index: int, split: str, request: SetRequest) -> Scene:
        """See :meth:`Layout.scene`."""
        camera = draw_camera(self.rng(request, split, index, LAYOUT_STREAM))
        return self.draw_scene(index, split, request, self.image_size, camera)

    def person_number(self, index: int, split: str) -> int:
        """One person for every four pictures: a training id."""
        return index if split == 'train' else super().person_number(index, split)

    def jobs(self, request: SetRequest) -> list[Job]:
        """One for every unique id."""
        numbers = {'train': request.num_train // VERSIONS, 'test': request.num_test}
        return [(split, number) for split in SPLITS for number in range(numbers[split])]

    def pictures_of(self, job: Job) -> int:
        """Every version of a training id."""
        return VERSIONS if job[0] == 'train' else 1

    def counts(self, request: SetRequest) -> dict[str, int]:
        """Pictures of ``training`` and ``evaluation``."""
        return {_FOLDERS[split]: request.count(split) for split in SPLITS}

    def multiples(self) -> dict[str, tuple[int, int]]:
        """Training pictures come in four versions."""
        return {'train': (VERSIONS, VERSIONS), 'test': (1, 1)}

    def folders(self, request: SetRequest) -> list[str]:
        """See :meth:`Layout.folders`."""
        return ['training/rgb', 'training/mask', 'evaluation/rgb', 'evaluation/segmap']

    def render_job(self, job: Job, request: SetRequest) -> list[Sample]:
        """All versions of a unique id; the hand is shaded once."""
        split, index = job
        look = self.dress(split, request).look
        generators = [
            self.rng(request, split, VERSIONS * index + version, BACKGROUND_STREAM)
            for version in range(self.pictures_of(job))
        ]
        kinds = [draw_kind(rng, look) for rng in generators]
        if split == 'train':
            kinds[0] = GREEN_SCREEN
        return render_backgrounds(
            self.scene(index, split, request),
            look,
            self.rng(request, split, index, LOOK_STREAM),
            list(zip(kinds, generators, strict=True)),
            identity=self.identity(index, split, request),
        )

    def write_job(self, root: Path, job: Job, request: SetRequest) -> HandAnnotation:
        """Write every version of a unique id, and the mask of the first."""
        split, index = job
        folder, unique = _FOLDERS[split], request.num_train // VERSIONS
        samples = self.render_job(job, request)
        for version, sample in enumerate(samples):
            write_jpg(root / folder / 'rgb' / f'{index + unique * version:08d}.jpg', sample.rgb)
        person = (samples[0].mask > 0).astype(np.uint8)
        if split == 'train':
            write_jpg(root / folder / 'mask' / f'{index:08d}.jpg', 255 * person)
        else:
            write_png(root / folder / 'segmap' / f'{index:08d}.png', person)
        return HandAnnotation.of(f'{folder}/rgb/{index:08d}.jpg', samples[0])

    def finish(self, root: Path, request: SetRequest, labels: Mapping[Job, Any]) -> None:
        """Write ``{training,evaluation}_{K,xyz,scale}.json``."""
        rows: dict[str, list[HandAnnotation]] = {split: [] for split in SPLITS}
        for job in self.jobs(request):
            rows[job[0]].append(labels[job])
        for split in SPLITS:
            first, second = REFERENCE_BONE
            joints = [one.xyz / 1000.0 for one in rows[split]]
            contents = {
                'K': [one.camera.tolist() for one in rows[split]],
                'xyz': [xyz.tolist() for xyz in joints],
                'scale': [float(np.linalg.norm(xyz[first] - xyz[second])) for xyz in joints],
            }
            for name, content in contents.items():
                if content:
                    write_json(root / f'{_FOLDERS[split]}_{name}.json', content)
        self.write_renderer_2d(root, [one for split in SPLITS for one in rows[split]])


def draw_camera(rng: np.random.Generator) -> np.ndarray:
    """Intrinsics (3, 3) distributed about as the published ones, px."""
    focal = float(np.clip(_FOCAL_MEDIAN * np.exp(rng.normal(0.0, _FOCAL_LOG_SD)), *_FOCAL_RANGE))
    middle = _SIDE / 2
    return np.array(
        [[focal, 0.0, middle], [0.0, focal * rng.uniform(*_ASPECT_RANGE), middle], [0.0, 0.0, 1.0]]
    )
