"""Hands from COCO json files: our own export, MMPose's annotation files, InterHand2.6M."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import MMLogger

from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.datasets.broken_files import find_broken_files, raise_or_skip
from mmdualhand.datasets.coco_export import exported_records
from mmdualhand.datasets.coco_file import annotated_hands, load_coco
from mmdualhand.datasets.coco_interhand import InterHandLabels, interhand_records
from mmdualhand.datasets.coco_sources import EXPORT, INTERHAND, SOURCES, parse_annotation
from mmdualhand.datasets.record_columns import RecordColumns
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.registry import DATASETS
from mmdualhand.structures import HandSample


@DATASETS.register_module()
class CocoHandDataset(BaseHandDataset):
    """One sample a hand of a COCO json, read with xtcocotools.

    What the file leaves unsaid comes from its ``source``:

    * ``'mmdualhand'``: written by ``convert-to-coco``; complete, exact.
    * ``'rhd'``: MMPose's RHD, raw order from tip to base, 3D in mm, camera.
    * ``'freihand'``, ``'onehand10k'``, ``'panoptic'``: MMPose's files, 2D alone.
      All hands of the first are right ones; the second does not say, they are
      taken as right ones and not mirrored; the third names left ones ``*_l``.
    * ``'interhand3d'``: InterHand2.6M with ``camera_file`` and ``joint_file``, both
      hands of a picture as two samples, world to camera. A hand that has an
      invalid joint is left out.

    Sets without 3D labels can be tested on with the metric PCK, not trained on.

    Args:
        data_root: Folder that pictures and json files are named relative to.
        ann_file: The json.
        pipeline: Transforms.
        source: Kind of the file.
        split: Name of the part, printed with results; by default that of the
            export, or the name of the json.
        img_prefix: Folder of the pictures inside ``data_root``.
        joint_order: Instead of the source's: the name of an order that
            ``HandSkeleton`` knows, or 21 gather indices.
        side: Instead of the source's: ``'annotation'``, ``'file_name'``,
            ``'right'`` or ``'left'``.
        unit: Instead of the source's: ``'mm'``, ``'cm'`` or ``'m'``.
        camera_file: ``*_camera.json`` of InterHand2.6M.
        joint_file: ``*_joint_3d.json`` of InterHand2.6M.
        min_labelled: Leave out hands with fewer labelled joints; by default 2, and 0
            for our own export.
        **kwargs: See :class:`BaseHandDataset`. ``on_error='skip'`` leaves out
            hands whose annotation is broken or whose picture is missing or
            truncated.

    Raises:
        ConfigError: An option has no meaning here.
        MissingFileError: A json is not there.
        MissingPackageError: xtcocotools is not installed.
        DataError: A json or an annotation is broken; the message names file and
            annotation.
    """

    dataset_name = 'COCO hands'

    def __init__(
        self,
        data_root: str | Path = '',
        ann_file: str | Path = 'annotations.json',
        pipeline: Sequence[Any] = (),
        *,
        source: str = EXPORT,
        split: str = '',
        img_prefix: str = '',
        joint_order: str | Sequence[int] | None = None,
        side: str | None = None,
        unit: str | None = None,
        camera_file: str | Path | None = None,
        joint_file: str | Path | None = None,
        min_labelled: int | None = None,
        **kwargs: Any,
    ) -> None:
        if source not in SOURCES:
            raise ConfigError(f'source must be one of {", ".join(SOURCES)}, got {source!r}')
        if source in (EXPORT, INTERHAND) and (joint_order, side) != (None, None):
            raise ConfigError(f'source={source!r} says joint order and side itself; leave these options out')
        if (source == INTERHAND) != (camera_file is not None and joint_file is not None):
            raise ConfigError(
                f'camera_file and joint_file are both needed for source={INTERHAND!r} and for no other'
            )
        self.source = source
        self._source = SOURCES[source].changed(joint_order, side, unit)
        self._files = tuple(Path(file) for file in (ann_file, camera_file, joint_file) if file is not None)
        self.split = split or self._files[0].stem
        self._says_split = bool(split)
        self.img_prefix = img_prefix
        self.min_labelled = (0 if source == EXPORT else 2) if min_labelled is None else min_labelled
        self._found: dict[str, Any] = {'dataset_name': self._source.name}
        super().__init__(data_root, pipeline, **kwargs)

    @property
    def metainfo(self) -> dict[str, Any]:
        """See :class:`BaseHandDataset`; once it is read, an export says what the dataset behind it said."""
        return {**super().metainfo, **self._found}

    @property
    def _name(self) -> str:
        return str(self._found['dataset_name'])

    def prepare(self) -> None:
        """Read the json files and make a record of every hand."""
        paths = [self.data_root / file for file in self._files]
        for path in paths:
            if not path.is_file():
                root = self.data_root.absolute()
                raise MissingFileError(f'{path.absolute()} is missing; ann_file is looked for in {root}.')
        records: list[HandSample] = []
        problems: dict[str, str] = {}
        left_out = 0
        for sample, found in self._read(paths):
            if isinstance(found, str):
                problems[sample] = f'{paths[0]}, annotation {sample}: {found}'
            elif found is None or _too_few(found, self.min_labelled):
                left_out += 1
            else:
                records.append(found)
        if self.on_error == 'skip':
            pictures = {record['sample_id']: Path(record['img_path']) for record in records}
            problems.update(find_broken_files(pictures, look_inside=True))
        raise_or_skip(self, problems)
        if left_out:
            MMLogger.get_current_instance().info(
                f'{self._name}: {left_out} hands of {paths[0]} have too few labelled joints and are left out'
            )
        self._records = RecordColumns(record for record in records if record['sample_id'] not in problems)

    def num_records(self) -> int:
        """Number of hands."""
        return len(self._records)

    def load_record(self, index: int) -> HandSample:
        """One hand; see :class:`BaseHandDataset`."""
        return self._records[index]

    def _read(self, paths: Sequence[Path]) -> Iterator[tuple[str, HandSample | str | None]]:
        """Sample id, and its record, what is wrong with it, or None for a hand without enough labels."""
        coco = load_coco(paths[0])
        folder = self.data_root / self.img_prefix
        if self.source == EXPORT:
            yield from exported_records(coco, annotated_hands(coco, paths[0]), folder, paths[0])
            info = coco.dataset['info']
            self._found = {key: info[key] for key in ('dataset_name', 'wrist_convention', 'lifting')}
            self._found['embedded'] = bool(info['embedded'])
            self.split = self.split if self._says_split else str(info['split'])
            return
        if self.source == INTERHAND:
            labels = InterHandLabels(paths[1], paths[2], self._source.unit)
            yield from interhand_records(coco, paths[0], labels, folder)
            return
        for annotation, image in annotated_hands(coco, paths[0]):
            name = str(annotation['id'])
            try:
                record = parse_annotation(annotation, image, self._source, str(folder / image['file_name']))
            except DataError as error:
                yield name, str(error)
                continue
            yield record['sample_id'], record


def _too_few(record: HandSample, least: int) -> bool:
    """Whether 2D labels are there, and too few of them."""
    if 'keypoints_2d' not in record:
        return False
    return int(np.isfinite(record['keypoints_2d']).all(axis=1).sum()) < least
