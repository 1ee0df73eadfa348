"""Photos of one part of a data set, as input of the inferencer."""

from __future__ import annotations

from pathlib import Path

from mmdualhand.datasets import GeRealDataset
from mmdualhand.errors import ConfigError, MissingFileError

PHOTO_SPLITS = ('dev', 'train')
"""Lists in the ``splits.json`` of the photos of Ge et al."""


def split_photos(folder: str | Path, split: str) -> list[Path]:
    """Files of one part of a set in the layout of Ge et al.

    Args:
        folder: With ``splits.json``, ``params.mat`` and ``pose_gt.mat``.
        split: Of :data:`PHOTO_SPLITS`.

    Returns:
        Files in the order of their numbers; whether they are there is not looked at.

    Raises:
        ConfigError: Another split.
        MissingFileError: A file of the layout is not there.
        DataError: A file has another content.
    """
    if split not in PHOTO_SPLITS:
        raise ConfigError(f'split must be one of {PHOTO_SPLITS}, got {split!r}')
    lists = Path(folder).expanduser() / 'splits.json'
    if not lists.is_file():
        raise MissingFileError(
            f'split {split!r} needs a folder with splits.json (the photos of Ge et al.), and {lists} is not '
            'there: leave --split out to take every picture of a folder, or name some in a .txt list'
        )
    dataset = GeRealDataset(lists.parent, split)
    return [Path(str(dataset.load_record(index)['img_path'])) for index in range(dataset.num_records())]
