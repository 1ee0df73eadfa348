"""MVHand's label files as tables."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from mmdualhand.datasets.health.facts import FACTS
from mmdualhand.datasets.health.sources.survey import Options, Survey, check_options, pick_splits
from mmdualhand.datasets.health.table import LabelTable, spread
from mmdualhand.datasets.image_io import read_picture
from mmdualhand.datasets.mask_polarity import BRIGHT, DARK
from mmdualhand.datasets.mvhand import PICTURES, SPLITS, MVHandDataset
from mmdualhand.datasets.mvhand_files import NUM_VIEWS, Views, read_joints, read_views
from mmdualhand.errors import DataError, HandUserError, MissingFileError
from mmdualhand.structures import HandSkeleton

_MASKS_LOOKED_AT = 16


def survey_mvhand(root: Path, wanted: list[str] | None, options: Options) -> Survey:
    """Read what is there of MVHand.

    Args:
        root: The folder of the sequences.
        wanted: Splits; both by default.
        options: None are known.
    """
    check_options(options, (), 'mvhand')
    survey = Survey(FACTS['mvhand'], root, pairs=[('train', 'test')])
    for split in pick_splits(wanted, tuple(SPLITS), 'mvhand'):
        parts = [part for part in (_sequence(survey, split, name) for name in SPLITS[split]) if part]
        if parts:
            survey.tables.append(_joined(parts))
        modalities = ('rgb', 'depth', 'mask')
        survey.readers[split] = partial(MVHandDataset, root, split, modalities=modalities)
    return survey


def _sequence(survey: Survey, split: str, name: str) -> LabelTable | None:
    """One sequence, or None where it is not there or cannot be read."""
    folder = survey.root / name
    files = (folder / 'mlresults' / f'{name}-joints.npy', folder / 'calib.pkl')
    absent = [str(path) for path in files if not path.is_file()]
    if absent:
        survey.absent += absent
        return None
    try:
        joints, views = read_joints(files[0]), read_views(files[1])
    except HandUserError as error:
        survey.unreadable.append(str(error))
        return None
    frames, view = (array.ravel() for array in np.mgrid[: len(joints), :NUM_VIEWS])
    paths = {}
    for kind, pattern in PICTURES.items():
        if (folder / kind).is_dir():
            names = [str(folder / pattern.format(*pair)) for pair in zip(frames, view, strict=True)]
            paths[kind] = np.array(names, object)
        else:
            survey.absent.append(f'the folder {folder / kind}')
    return _table(split, name, joints, views, (frames, view), paths)


def _table(
    split: str,
    name: str,
    joints: np.ndarray,
    views: Views,
    numbers: tuple[np.ndarray, np.ndarray],
    paths: dict[str, np.ndarray],
) -> LabelTable:
    frames, view = numbers
    count = len(frames)
    masks = paths.get('mask', np.full(count, '', object))
    return LabelTable(
        split=split,
        ids=np.array([f'{name}/{frame:05d}_{v}' for frame, v in zip(frames, view, strict=True)], object),
        sides=np.full(count, 'right', object),
        joints=HandSkeleton.from_dataset('mvhand').to_canonical(joints, axis=1)[frames],
        cameras=views.camera[view],
        motion=views.from_world[view, :3],
        groups=np.full(count, name, object),
        paths=paths,
        depth_encoding='mvhand',
        mask_values=np.tile(_polarity(masks), (count, 1)),
        other_motions=views.from_world[(view[:, None] + np.arange(NUM_VIEWS)) % NUM_VIEWS, :3],
    )


def _joined(parts: list[LabelTable]) -> LabelTable:
    """The sequences of a split as one table; a kind of picture that one lacks is empty there."""
    whole = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ('ids', 'sides', 'joints', 'cameras', 'motion', 'groups', 'mask_values', 'other_motions')
    }
    paths = {kind: np.concatenate([part.pictures(kind) for part in parts]) for kind in PICTURES}
    return LabelTable(split=parts[0].split, paths=paths, depth_encoding='mvhand', **whole)


def _polarity(paths: np.ndarray) -> tuple[int, int]:
    """Which part of the masks is the hand: the smaller one, labels not asked."""
    shares = []
    for path in paths[spread(len(paths), _MASKS_LOOKED_AT)]:
        try:
            mask = read_picture(path, Path(path).stem) if path else None
        except (DataError, MissingFileError):
            mask = None
        if mask is not None:
            shares.append(float(((mask if mask.ndim == 2 else mask[..., 0]) >= BRIGHT[0]).mean()))
    return DARK if shares and float(np.median(shares)) > 0.5 else BRIGHT
