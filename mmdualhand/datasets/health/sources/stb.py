"""STB's label files as tables."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from mmdualhand.datasets.health.facts import FACTS
from mmdualhand.datasets.health.sources.survey import Options, Survey, check_options, pick_splits
from mmdualhand.datasets.health.table import LabelTable
from mmdualhand.datasets.stb import DEPTH_PICTURE, SPLITS, STBDataset, read_hand_para
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.structures import HandSkeleton
from mmdualhand.structures.stb_cameras import REALSENSE_DEPTH, STB_STREAMS, StbStream


def survey_stb(root: Path, wanted: list[str] | None, options: Options) -> Survey:
    """Read what is there of STB.

    Args:
        root: The folder of ``labels``.
        wanted: Splits, ``train`` and ``test`` by default.
        options: ``stream``; SK where it has labels, BB_left otherwise.

    Raises:
        ConfigError: An unknown stream.
    """
    check_options(options, ('stream',), 'stb')
    found = 'SK' if any((root / 'labels').glob('*_SK.mat')) else 'BB_left'
    name = options.get('stream', found)
    if name not in STB_STREAMS:
        raise ConfigError(f'--option stream={name}: stream of STB must be one of {", ".join(STB_STREAMS)}')
    survey = Survey(FACTS['stb'], root, pairs=[('train', 'test')])
    for split in pick_splits(wanted, ('train', 'test'), 'stb'):
        blocks = _read_split(survey, split, STB_STREAMS[name])
        modalities = ('rgb', 'depth') if name == 'SK' else ('rgb',)
        survey.readers[split] = partial(STBDataset, root, split, stream=name, modalities=modalities)
        if blocks:
            survey.tables.append(_table(survey, split, STB_STREAMS[name], blocks))
    return survey


def _read_split(survey: Survey, split: str, stream: StbStream) -> dict[str, np.ndarray]:
    """Sequence to raw labels (N, 21, 3), mm."""
    blocks = {}
    for sequence in SPLITS[split]:
        path = survey.root / 'labels' / f'{sequence}_{stream.labels}.mat'
        if not path.is_file():
            survey.absent.append(str(path))
            continue
        try:
            blocks[sequence] = read_hand_para(path)
        except DataError as error:
            survey.unreadable.append(str(error))
    return blocks


def _table(survey: Survey, split: str, stream: StbStream, blocks: dict[str, np.ndarray]) -> LabelTable:
    names = [(sequence, frame) for sequence, block in blocks.items() for frame in range(len(block))]
    count = len(names)
    folders = {sequence: _folder(survey, sequence) for sequence in blocks}
    patterns = {'rgb': stream.picture, **({'depth': DEPTH_PICTURE} if stream.name == 'SK' else {})}
    paths = {
        kind: np.array([_path(folders[sequence], pattern, frame) for sequence, frame in names], object)
        for kind, pattern in patterns.items()
    }
    back = np.concatenate([stream.rotation.T, (-stream.rotation.T @ stream.translation)[:, None]], axis=1)
    return LabelTable(
        split=split,
        ids=np.array([f'{sequence}/{stream.name}_{frame}' for sequence, frame in names], object),
        sides=np.full(count, 'left', object),
        joints=HandSkeleton.from_dataset('stb').to_canonical(np.concatenate(list(blocks.values())), axis=1),
        cameras=np.tile(stream.camera, (count, 1, 1)),
        motion=np.tile(np.concatenate([stream.rotation, stream.translation[:, None]], axis=1), (count, 1, 1)),
        groups=np.array([sequence for sequence, _ in names], object),
        paths=paths,
        depth_encoding='stb',
        depth_cameras=np.tile(REALSENSE_DEPTH, (count, 1, 1)),
        depth_motion=np.tile(back, (count, 1, 1)),
    )


def _folder(survey: Survey, sequence: str) -> Path | None:
    for place in (survey.root / 'images' / sequence, survey.root / sequence):
        if place.is_dir():
            return place
    survey.absent.append(f'pictures of {sequence} ({survey.root / "images" / sequence})')
    return None


def _path(folder: Path | None, pattern: str, frame: int) -> str:
    return '' if folder is None else str(folder / pattern.format(frame))
