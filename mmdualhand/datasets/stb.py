"""Reader of STB, the Stereo hand pose Tracking Benchmark of Zhang et al. (ICIP 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.datasets.broken_files import find_broken_pictures, raise_or_skip
from mmdualhand.datasets.missing_data import where_to_get
from mmdualhand.datasets.palm_to_wrist import WristRule
from mmdualhand.datasets.seeded_subset import check_subset, seeded_subset
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.registry import DATASETS
from mmdualhand.structures import Camera, HandSample, HandSkeleton
from mmdualhand.structures.stb_cameras import IMAGE_SIZE, REALSENSE_DEPTH, STB_STREAMS

STB_PAGE = 'https://github.com/zhjwustc/icip17_stereo_hand_pose_dataset'
SEQUENCES = tuple(f'B{number}{kind}' for number in range(1, 7) for kind in ('Counting', 'Random'))
SPLITS = {'train': SEQUENCES[2:], 'test': SEQUENCES[:2], 'all': SEQUENCES}
DEPTH_PICTURE = 'SK_depth_{}.png'


@DATASETS.register_module()
class STBDataset(BaseHandDataset):
    """STB as published: 12 sequences of 1500 frames of left hands, labels in mm.

    Pictures lie in ``images/B1Counting/`` or in ``B1Counting/``, labels in
    ``labels/B1Counting_{SK,BB}.mat``. Labels of ``SK`` are in the depth camera and
    are brought to the colour camera, those of ``BB`` are in the left camera and
    are moved by the baseline for the right one. One sample is one frame of one
    stream, with ids such as ``'B1Counting/SK_17'``; frames are in order of
    sequence and number. Cameras are used as printed, in pixel-centre
    coordinates.

    Args:
        data_root: The folder that holds ``labels``.
        split: ``'train'`` (B2 to B6), ``'test'`` (B1) or ``'all'``.
        pipeline: Transforms.
        stream: ``'SK'`` (RealSense colour), ``'BB_left'`` or ``'BB_right'``
            (Bumblebee stereo pair).
        wrist: What joint 0 is. STB labels the palm centre p; ``'2p-r'`` gives
            2 p - ring MCP, ``'2p-m'`` 2 p - middle MCP, ``'palm'`` leaves it,
            ``[joint, factor]`` gives joint + factor (p - joint). Kept in
            :attr:`metainfo` and printed with results.
        sequences: Which sequences of the split to use; all by default.
        modalities: What the records name: ``rgb``, and for SK also ``depth``,
            which is registered to the colour camera when it is loaded.
        num_subset: At most so many frames, drawn at random from the split.
        subset_seed: Seed of this draw.
        **kwargs: See :class:`BaseHandDataset`. ``on_error='skip'`` leaves out
            frames whose label is not finite or one of whose pictures is missing
            or truncated.

    Raises:
        ConfigError: An option has no meaning here.
        MissingFileError: The dataset, or a part of it, is not there.
        DataError: A label file has not the published content, or pictures are
            missing; the message names the file.
    """

    dataset_name = 'STB'
    picture_size = IMAGE_SIZE

    def __init__(
        self,
        data_root: str | Path = 'data/STB',
        split: str = 'train',
        pipeline: Sequence[Any] = (),
        *,
        stream: str = 'SK',
        wrist: str | Sequence[float] = '2p-r',
        sequences: Sequence[str] | None = None,
        modalities: Sequence[str] = ('rgb',),
        num_subset: int | None = None,
        subset_seed: int = 0,
        **kwargs: Any,
    ) -> None:
        if split not in SPLITS:
            raise ConfigError(f"split of STB must be 'train', 'test' or 'all', got {split!r}")
        if stream not in STB_STREAMS:
            raise ConfigError(f'stream of STB must be one of {", ".join(STB_STREAMS)}, got {stream!r}')
        _check_modalities(modalities, stream)
        check_subset(num_subset, subset_seed)
        self.split, self.stream, self.modalities = split, stream, tuple(modalities)
        self.sequences = _pick_sequences(sequences, split)
        self.num_subset, self.subset_seed = num_subset, subset_seed
        self._wrist = WristRule.parse(wrist)
        self.wrist_convention = self._wrist.convention
        self._stream = STB_STREAMS[stream]
        self._skeleton = HandSkeleton.from_dataset('stb')
        super().__init__(data_root, pipeline, **kwargs)

    @property
    def metainfo(self) -> dict[str, Any]:
        """See :class:`BaseHandDataset`; the split says stream and subset too."""
        parts = [self.stream]
        if self.sequences != SPLITS[self.split]:
            parts.append('only ' + ' '.join(self.sequences))
        if self.num_subset is not None:
            parts.append(f'at most {self.num_subset} frames by seed {self.subset_seed}')
        return {**super().metainfo, 'split': f'{self.split} ({", ".join(parts)})', 'stream': self.stream}

    def prepare(self) -> None:
        """Read the labels of all sequences, draw the subset, look for its pictures."""
        blocks = [read_hand_para(path) for path in self._label_paths()]
        frames = [(sequence, frame) for sequence, block in enumerate(blocks) for frame in range(len(block))]
        chosen = seeded_subset(len(frames), self.num_subset, self.subset_seed)
        self._frames = np.array(frames, np.int64)[chosen]
        raw = np.concatenate(blocks)[chosen]
        self._folders = {number: self._picture_folder(number) for number in np.unique(self._frames[:, 0])}
        problems = self._find_problems(raw)
        names = [self._sample_id(place) for place in range(len(raw))]
        raise_or_skip(self, {name: problems[name] for name in names if name in problems})
        good = np.array([name not in problems for name in names])
        self._frames = self._frames[good]
        palm = self._skeleton.to_canonical(raw[good], axis=1)
        self._joints = self._stream.from_labels(self._wrist.apply(palm))

    def num_records(self) -> int:
        """Number of frames."""
        return len(self._frames)

    def load_record(self, index: int) -> HandSample:
        """One frame; see :class:`BaseHandDataset`."""
        sequence, frame = self._frames[index].tolist()
        joints, stream = self._joints[index].copy(), self._stream
        record: HandSample = {
            'sample_id': self._sample_id(index),
            'img_path': str(self._folders[sequence] / stream.picture.format(frame)),
            'hand_side': 'left',
            'camera': stream.camera.copy(),
            'keypoints_2d': Camera(stream.camera).project(joints),
            'keypoints_3d': joints,
            'keypoints_visible': np.ones(len(joints), np.float32),
        }
        if 'depth' in self.modalities:
            record['depth_path'] = str(self._folders[sequence] / DEPTH_PICTURE.format(frame))
            record['depth_encoding'] = 'stb'
            record['depth_registration'] = {
                'camera': REALSENSE_DEPTH.copy(),
                'rotation': stream.rotation.copy(),
                'translation': stream.translation.copy(),
            }
        return record

    def _sample_id(self, place: int) -> str:
        sequence, frame = self._frames[place].tolist()
        return f'{self.sequences[sequence]}/{self.stream}_{frame}'

    def _label_path(self, sequence: int) -> Path:
        return self.data_root / 'labels' / f'{self.sequences[sequence]}_{self._stream.labels}.mat'

    def _label_paths(self) -> list[Path]:
        paths = [self._label_path(sequence) for sequence in range(len(self.sequences))]
        here = [name for name, path in zip(self.sequences, paths, strict=True) if path.is_file()]
        missing = next((path for path in paths if not path.is_file()), None)
        if missing is None:
            return paths
        advice = where_to_get(self.data_root, name='STB', page=STB_PAGE, layout='stb')
        if here:
            advice = f'unpack all of labels.zip, or use what is there with sequences={here}.'
        elif missing.parent.is_dir() and any(missing.parent.glob('B*_*.mat')):
            advice = f'unpack all of labels.zip, or use another split or stream than {self.stream!r}.'
        raise MissingFileError(f'{missing.absolute()} is missing: {advice}')

    def _picture_folder(self, sequence: int) -> Path:
        name = self.sequences[sequence]
        places = (self.data_root / 'images' / name, self.data_root / name)
        for place in places:
            if place.is_dir():
                return place
        raise MissingFileError(
            f'neither {places[0]} nor {places[1]} exists: unpack {name}.zip into a folder of this name (the '
            'archives of B1 to B3 bring none), or name the sequences to use with sequences=[...].'
        )

    def _find_problems(self, raw: np.ndarray) -> dict[str, str]:
        """Sample to a label that is not finite, or a picture that is missing or truncated."""
        problems = {}
        for place in np.nonzero(~np.isfinite(raw).all(axis=(1, 2)))[0].tolist():
            sequence, frame = self._frames[place].tolist()
            problems[self._sample_id(place)] = (
                f'{self._label_path(sequence)}: handPara of frame {frame} holds NaN or infinite numbers'
            )
        patterns = [self._stream.picture] + [DEPTH_PICTURE] * ('depth' in self.modalities)
        for sequence, folder in self._folders.items():
            places = np.nonzero(self._frames[:, 0] == sequence)[0].tolist()
            for pattern in patterns:
                names = {self._sample_id(i): pattern.format(self._frames[i, 1]) for i in places}
                found = find_broken_pictures(folder, names, look_inside=self.on_error == 'skip')
                problems = {**found, **problems}
        return problems


def read_hand_para(path: Path) -> np.ndarray:
    """Read the labels of one sequence.

    Args:
        path: ``labels/<sequence>_{BB,SK}.mat``.

    Returns:
        (N, 21, 3) float64 mm in raw joint order (palm centre, then pinky to
        thumb, each from base to tip), as many frames as the file has.

    Raises:
        DataError: The file is broken, empty, or not (3, 21, N) numbers.
    """
    try:
        values = np.asarray(loadmat(str(path), variable_names=['handPara'])['handPara'])
    except KeyError:
        raise DataError(f"{path} has no variable 'handPara'; is it a label file of STB?") from None
    except Exception as error:  # scipy raises many kinds for a broken file
        raise DataError(f'{path} cannot be read as a MATLAB file ({error}); copy it again.') from error
    if values.shape == (3, 21):  # MATLAB drops the last axis of a single frame
        values = values[..., None]
    if values.ndim != 3 or values.shape[:2] != (3, 21) or values.dtype.kind not in 'fiu':
        raise DataError(
            f'{path}: handPara must be numbers of shape (3, 21, frames), got {values.shape} {values.dtype}.'
        )
    if not values.shape[2]:
        raise DataError(f'{path}: handPara is empty, it has no frame.')
    return values.astype(np.float64).transpose(2, 1, 0)


def _check_modalities(modalities: Sequence[str], stream: str) -> None:
    if 'rgb' not in modalities or set(modalities) - {'rgb', 'depth'}:
        raise ConfigError(f"modalities of STB must be 'rgb' and perhaps 'depth', got {tuple(modalities)}")
    if 'depth' in modalities and stream != 'SK':
        raise ConfigError(f"STB has depth for stream='SK' only, not for {stream!r}")


def _pick_sequences(sequences: Sequence[str] | None, split: str) -> tuple[str, ...]:
    if sequences is None:
        return SPLITS[split]
    wanted = {sequences} if isinstance(sequences, str) else set(sequences)
    if not wanted or wanted - set(SPLITS[split]):
        raise ConfigError(
            f'sequences of split {split!r} of STB must be some of {", ".join(SPLITS[split])}, got '
            f'{sequences!r}'
        )
    return tuple(name for name in SPLITS[split] if name in wanted)
