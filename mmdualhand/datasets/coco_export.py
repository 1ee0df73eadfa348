"""Our own COCO json: what MMPose's files hold, and the rest of a canonical record to the last bit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from mmdualhand.compat import replace_file
from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.datasets.image_io import read_picture
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.structures import BONES, JOINT_NAMES, NUM_JOINTS, HandSample

FORMAT, VERSION = 'mmdualhand', 1
_PATHS = {'depth_path': 'depth_name', 'mask_path': 'mask_name'}
_MATRICES = {'camera': (3, 3), 'rotation': (3, 3), 'translation': (3,)}
UNLABELLED, HIDDEN, VISIBLE = 0, 1, 2
"""COCO's third number of a joint: not labelled; labelled and not visible; labelled and visible."""


def write_coco(
    dataset: BaseHandDataset,
    path: Path,
    root: Path | None = None,
    on_sample: Callable[[], None] = lambda: None,
) -> int:
    """Write the records of a dataset to one json, which is in place only once it is complete.

    Numbers are written so that they are read back to the last bit. Annotations
    are written one after the other, so that a large set needs little memory.

    Args:
        dataset: Any dataset; its pipeline is not used.
        path: The json.
        root: Folder that pictures are named relative to; that of the dataset
            where None.
        on_sample: Called after every record.

    Returns:
        Number of annotations.

    Raises:
        ConfigError: A picture lies outside ``root``.
        DataError: A record or picture is broken.
        MissingFileError: A picture is not there.
    """
    root = dataset.data_root if root is None else root
    info = dataset.metainfo
    header = {
        'description': f'{info["dataset_name"]} ({info["split"]}), written by mmdualhand convert-to-coco',
        'format': FORMAT,
        'version': VERSION,
        'units': 'mm, px (an integer is the centre of a pixel)',
        **{key: info[key] for key in ('dataset_name', 'split', 'wrist_convention', 'lifting', 'embedded')},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + '.partial')
    images: dict[str, dict[str, Any]] = {}
    try:
        with open(partial, 'w', encoding='utf-8') as file:
            file.write(f'{{"info": {json.dumps(header)},\n"categories": {json.dumps([_category()])},\n')
            file.write('"annotations": [')
            for number in range(len(dataset)):
                record = dataset.labels_only(number)
                image = _image(record, images, root)
                file.write(',\n' if number else '\n')
                file.write(json.dumps(_annotation(record, number + 1, image['id'], root), allow_nan=False))
                on_sample()
            listed = ',\n'.join(json.dumps(image) for image in images.values())
            file.write(f'],\n"images": [\n{listed}]}}\n')
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    replace_file(partial, path)
    return len(dataset)


def exported_records(
    coco: Any, pairs: Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]], root: Path, path: Path
) -> Iterator[tuple[str, HandSample | str | None]]:
    """Read back what :func:`write_coco` wrote.

    Args:
        coco: The file.
        pairs: Its annotations and their images.
        root: Folder that pictures are named relative to.
        path: Path of the file, named in errors.

    Yields:
        Sample id, and the record or, in words, why there is none.

    Raises:
        DataError: It is another kind of file, or of a later version.
    """
    info = coco.dataset.get('info')
    if not isinstance(info, Mapping) or info.get('format') != FORMAT:
        raise DataError(
            f'{path} was not written by convert-to-coco; name its kind with source=... of CocoHandDataset.'
        )
    if info.get('version') != VERSION:
        raise DataError(f'{path} is of version {info.get("version")}, this program reads version {VERSION}.')
    for annotation, image in pairs:
        try:
            yield str(annotation['id']), _record(annotation, image, root)
        except (KeyError, TypeError, ValueError) as error:
            yield str(annotation['id']), f'a part of the record is missing or broken ({error!r})'


def _category() -> dict[str, Any]:
    return {
        'id': 1,
        'name': 'hand',
        'supercategory': 'hand',
        'keypoints': list(JOINT_NAMES),
        'skeleton': [[first + 1, second + 1] for first, second in BONES],
    }


def _image(record: HandSample, images: dict[str, dict[str, Any]], root: Path) -> dict[str, Any]:
    """The image of a record; its file is looked at once."""
    name = _relative(record['img_path'], root)
    if name not in images:
        picture = read_picture(record['img_path'], record['sample_id'])
        height, width = picture.shape[:2]
        images[name] = {'id': len(images) + 1, 'file_name': name, 'width': width, 'height': height}
        camera = record.get('camera')
        if camera is not None and camera[0, 1] == camera[1, 0] == 0:
            focal, centre = camera.diagonal()[:2].tolist(), camera[:2, 2].tolist()
            images[name]['cam_param'] = {'focal': focal, 'princpt': centre}
    return images[name]


def _relative(path: str, root: Path) -> str:
    for picture, folder in ((Path(path), root), (Path(path).absolute(), root.absolute())):
        if picture.is_relative_to(folder):
            return picture.relative_to(folder).as_posix()
    raise ConfigError(f'{path} does not lie in {root}; give the folder that holds every picture with --root')


def _annotation(record: HandSample, number: int, image: int, root: Path) -> dict[str, Any]:
    out: dict[str, Any] = {
        'id': number,
        'image_id': image,
        'category_id': 1,
        'iscrowd': 0,
        'sample_id': record['sample_id'],
        'hand_type': record['hand_side'],
    }
    visible = record.get('keypoints_visible')
    if 'keypoints_2d' in record:
        out.update(_keypoints(record['keypoints_2d'], visible))
    if visible is not None:
        out['keypoints_visible'] = visible.tolist()
    if 'camera' in record:
        out['camera'] = record['camera'].tolist()
    if 'keypoints_3d' in record:
        out['joint_cam'] = record['keypoints_3d'].tolist()
    rest: dict[str, Any] = {**record}
    for key in ('ref_length', 'root_depth', 'depth_encoding'):
        if key in rest:
            out[key] = rest[key]
    for key, name in _PATHS.items():
        if key in rest:
            out[name] = _relative(rest[key], root)
    if 'mask_values' in record:
        out['mask_values'] = [int(value) for value in record['mask_values']]
    if 'depth_registration' in record:
        motion = record['depth_registration']
        out['depth_registration'] = {key: np.asarray(motion[key]).tolist() for key in _MATRICES}
    return out


def _keypoints(uv: np.ndarray, visible: np.ndarray | None) -> dict[str, Any]:
    labelled = np.isfinite(uv).all(axis=1)
    shown = np.ones(NUM_JOINTS, bool) if visible is None else visible > 0
    flags = np.where(labelled, np.where(shown, VISIBLE, HIDDEN), UNLABELLED)
    points = np.where(labelled[:, None], uv, 0.0)
    flat: list[float] = []
    for point, flag in zip(points.tolist(), flags.tolist(), strict=True):
        flat += [*point, flag]
    inside = points[labelled] if labelled.any() else points
    low, size = inside.min(axis=0), np.ptp(inside, axis=0)
    return {
        'keypoints': flat,
        'num_keypoints': int(labelled.sum()),
        'bbox': [*low.tolist(), *size.tolist()],
        'area': float(size.prod()),
    }


def _record(annotation: Mapping[str, Any], image: Mapping[str, Any], root: Path) -> HandSample:
    record: Any = {
        'sample_id': annotation['sample_id'],
        'img_path': str(root / PurePosixPath(image['file_name'])),
        'hand_side': annotation['hand_type'],
    }
    if 'keypoints' in annotation:
        points = np.array(annotation['keypoints'], np.float64).reshape(NUM_JOINTS, 3)
        record['keypoints_2d'] = np.where(points[:, 2:] > UNLABELLED, points[:, :2], np.nan)
    for key, name, dtype in (
        ('keypoints_visible', 'keypoints_visible', np.float32),
        ('camera', 'camera', np.float64),
        ('keypoints_3d', 'joint_cam', np.float64),
    ):
        if name in annotation:
            record[key] = np.array(annotation[name], dtype)
    for key in ('ref_length', 'root_depth'):
        if key in annotation:
            record[key] = float(annotation[key])
    for key, name in _PATHS.items():
        if name in annotation:
            record[key] = str(root / PurePosixPath(annotation[name]))
    if 'depth_encoding' in annotation:
        record['depth_encoding'] = annotation['depth_encoding']
    if 'mask_values' in annotation:
        low, high = annotation['mask_values']
        record['mask_values'] = (int(low), int(high))
    if 'depth_registration' in annotation:
        motion = annotation['depth_registration']
        record['depth_registration'] = {
            key: np.array(motion[key], np.float64).reshape(shape) for key, shape in _MATRICES.items()
        }
    return record
