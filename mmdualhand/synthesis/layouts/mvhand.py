"""The published layout of MVHand for rendered samples: every hand seen by four cameras."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.structures import HandSkeleton
from mmdualhand.structures.mvhand_cameras import IMAGE_SIZE, MVHAND_CAMERAS
from mmdualhand.synthesis.layouts.backgrounds import draw_kind
from mmdualhand.synthesis.layouts.base import BACKGROUND_STREAM, LAYOUT_STREAM, SPLITS, Job, SetRequest
from mmdualhand.synthesis.layouts.encoding import whole_millimetres, write_jpg, write_png
from mmdualhand.synthesis.layouts.single_hand import HandAnnotation, SingleHandLayout
from mmdualhand.synthesis.posed_scene import Scene
from mmdualhand.synthesis.render import LOOK_STREAM, Sample, generator, render_backgrounds
from mmdualhand.synthesis.rotations import rotation_x, rotation_y, rotation_z

SEQUENCES = {'train': ('7-14-1-2', '9-10-1-2'), 'test': ('9-17-1-2', '9-25-1-2')}
SERIALS = tuple(sorted(MVHAND_CAMERAS))
"""Serial numbers of views 0 to 3; the last camera is the root, whose frame is the world."""
VIEWS = len(SERIALS)

_FOCUS_MM = np.array([0.0, 0.0, 600.0])  # where the cameras look, world
_HAND_SPREAD_MM = 50.0  # of the hand about the focus, each way
# Where the cameras stand about the focus as the root sees it: to the right and upwards, degrees.
_DIRECTIONS_DEG = ((42.0, 10.0), (-38.0, 16.0), (12.0, 34.0), (0.0, 0.0))
_DIRECTION_JITTER_DEG, _ROLL_JITTER_DEG, _DISTANCE_MM = 5.0, 6.0, (560.0, 660.0)


class MVHandLayout(SingleHandLayout):
    """MVHand: right hands, four people, each before four cameras; joints in the frame of the root camera.

    Picture i is view i modulo 4 of frame i // 4; frames go to the two sequences of
    a split in turn. A sequence has one person and its own calibration.
    """

    name = 'mvhand'
    title = 'MVHand'
    folder_name = 'MVHand'
    default_domain = 'mvhand'
    image_size = IMAGE_SIZE
    fixed_scene = {
        **SingleHandLayout.fixed_scene,
        'hand_size': (0.24, 0.30),
        'center_jitter': 0.1,
        'forearm_reach': 4.0,  # the longest: other cameras see the arm from the side
    }

    def scene(self, index: int, split: str, request: SetRequest) -> Scene:
        """See :meth:`Layout.scene`; one of the four views of a frame."""
        frame, view = divmod(index, VIEWS)
        return self.views(frame, split, request)[view]

    def views(self, frame: int, split: str, request: SetRequest) -> list[Scene]:
        """The four views of a frame, of one posed hand."""
        root = self.draw_scene(frame * VIEWS, split, request, IMAGE_SIZE, MVHAND_CAMERAS[SERIALS[-1]])
        rng = self.rng(request, split, frame, LAYOUT_STREAM)
        place = _FOCUS_MM + rng.uniform(-_HAND_SPREAD_MM, _HAND_SPREAD_MM, 3)
        to_world = np.eye(4)
        to_world[:3, 3] = place - root.hands[0].xyz.mean(axis=0)
        poses = self.calibration(self.sequence(frame, split), request.seed)
        return [
            root.seen_from(MVHAND_CAMERAS[serial], IMAGE_SIZE, inverse(poses[serial]) @ to_world)
            for serial in SERIALS
        ]

    def sequence(self, frame: int, split: str) -> str:
        """Name of the sequence of a frame."""
        return SEQUENCES[split][frame % len(SEQUENCES[split])]

    def calibration(self, sequence: str, seed: int) -> dict[str, np.ndarray]:
        """Serial to camera-to-world motion (4, 4), mm; that of the root camera is the identity."""
        return {serial: pose.copy() for serial, pose in _calibration(sequence, seed).items()}

    def person_number(self, index: int, split: str) -> int:
        """One person for every sequence."""
        return index // VIEWS % len(SEQUENCES[split])

    def jobs(self, request: SetRequest) -> list[Job]:
        """One for every frame."""
        return [(split, frame) for split in SPLITS for frame in range(request.count(split) // VIEWS)]

    def pictures_of(self, job: Job) -> int:
        """Four views."""
        return VIEWS

    def multiples(self) -> dict[str, tuple[int, int]]:
        """Four views of at least one frame of every sequence."""
        return {split: (VIEWS, VIEWS * len(SEQUENCES[split])) for split in SPLITS}

    def folders(self, request: SetRequest) -> list[str]:
        """See :meth:`Layout.folders`."""
        wanted = [name for split in SPLITS if request.count(split) for name in SEQUENCES[split]]
        return [f'{name}/{folder}' for name in wanted for folder in ('rgb', 'depth', 'mask', 'mlresults')]

    def render_job(self, job: Job, request: SetRequest) -> list[Sample]:
        """The four views of a frame: one light, skin and cloth, a background for each."""
        split, frame = job
        look, person = self.dress(split, request).look, self.identity(frame * VIEWS, split, request)
        samples = []
        for view, scene in enumerate(self.views(frame, split, request)):
            behind = self.rng(request, split, frame * VIEWS + view, BACKGROUND_STREAM)
            light = self.rng(request, split, frame, LOOK_STREAM)
            backgrounds = [(draw_kind(behind, look), behind)]
            samples += render_backgrounds(scene, look, light, backgrounds, identity=person)
        return samples

    def write_job(self, root: Path, job: Job, request: SetRequest) -> list[HandAnnotation]:
        """Write colour, depth and mask of the four views of a frame."""
        split, frame = job
        sequence, number = self.sequence(frame, split), frame // len(SEQUENCES[split])
        annotations = []
        for view, sample in enumerate(self.render_job(job, request)):
            name = f'{number:05d}_{view}'
            write_jpg(root / sequence / 'rgb' / f'{name}.jpg', sample.rgb)
            write_png(root / sequence / 'depth' / f'{name}.png', encode_depth(sample.depth))
            write_jpg(root / sequence / 'mask' / f'{name}.jpg', (sample.mask > 0).astype(np.uint8) * 255)
            annotations.append(HandAnnotation.of(f'{sequence}/rgb/{name}.jpg', sample))
        return annotations

    def finish(self, root: Path, request: SetRequest, labels: Mapping[Job, Any]) -> None:
        """Write calibration and joints of every sequence."""
        annotations: list[HandAnnotation] = []
        for split in SPLITS:
            for number, sequence in enumerate(SEQUENCES[split]):
                frames = range(number, request.count(split) // VIEWS, len(SEQUENCES[split]))
                rows: list[list[HandAnnotation]] = [labels[split, frame] for frame in frames]
                if rows:
                    with open(root / sequence / 'calib.pkl', 'wb') as file:
                        pickle.dump(self.calibration(sequence, request.seed), file, protocol=2)
                    # the last view is the root camera's, whose frame is the world
                    joints = homogeneous_joints(np.array([views[-1].xyz for views in rows]))
                    np.save(root / sequence / 'mlresults' / f'{sequence}-joints.npy', joints)
                annotations += [one for views in rows for one in views]
        self.write_renderer_2d(root, annotations)


def encode_depth(depth_mm: np.ndarray) -> np.ndarray:
    """Depth as MVHand stores it: (H, W, 3) uint8 RGB, B + 256 G in whole mm, 0 where nothing stands."""
    low, high = whole_millimetres(depth_mm)
    return np.stack([np.zeros_like(low), high, low], axis=-1)


def homogeneous_joints(joints: np.ndarray) -> np.ndarray:
    """Joints (N, 21, 3) mm, canonical order, as MVHand labels them: (N, 21, 4) in its own order."""
    raw = HandSkeleton.from_dataset('mvhand').to_raw_block(joints)
    return np.concatenate([raw, np.ones_like(raw[..., :1])], axis=-1)


def inverse(motion: np.ndarray) -> np.ndarray:
    """The inverse of a rigid motion (4, 4)."""
    back = np.eye(4)
    back[:3, :3] = motion[:3, :3].T
    back[:3, 3] = -motion[:3, :3].T @ motion[:3, 3]
    return back


@lru_cache(maxsize=16)
def _calibration(sequence: str, seed: int) -> dict[str, np.ndarray]:
    """See :meth:`MVHandLayout.calibration`."""
    rng = generator(seed, 'mvhand', 0, LAYOUT_STREAM, sequence)
    poses = {}
    for serial, direction in zip(SERIALS, _DIRECTIONS_DEG, strict=True):
        right, up = np.radians(np.array(direction) + rng.uniform(-1, 1, 2) * _DIRECTION_JITTER_DEG)
        roll = np.radians(rng.uniform(-1, 1) * _ROLL_JITTER_DEG)
        distance = rng.uniform(*_DISTANCE_MM)
        pose = np.eye(4)
        if serial != SERIALS[-1]:
            # the camera turns about the focus: it stands at focus - distance * its own z axis
            pose[:3, :3] = rotation_y(-right) @ rotation_x(-up) @ rotation_z(roll)
            pose[:3, 3] = _FOCUS_MM - distance * pose[:3, 2]
        poses[serial] = pose
    return poses
