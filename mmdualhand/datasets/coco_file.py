"""Reading a COCO json with xtcocotools, and refusing what is none."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmdualhand.compat import import_xtcocotools
from mmdualhand.errors import DataError


def read_json(path: Path) -> Any:
    """Read a json file.

    Raises:
        DataError: It is truncated or no json.
    """
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise DataError(f'{path} cannot be read as JSON ({error}); copy the file again.') from error


def load_coco(path: Path) -> Any:
    """Index the images and annotations of a COCO json.

    Args:
        path: The file.

    Returns:
        An ``xtcocotools.coco.COCO``.

    Raises:
        DataError: It is truncated, no COCO json, or empty.
        MissingPackageError: xtcocotools is not installed.
    """
    coco = import_xtcocotools()
    content = read_json(path)
    if not isinstance(content, Mapping) or not all(
        isinstance(content.get(key), list) for key in ('images', 'annotations')
    ):
        raise DataError(f"{path} is no COCO file: it must hold lists 'images' and 'annotations'.")
    if not content['annotations']:
        raise DataError(f'{path} is empty, it holds no annotation.')
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints as it goes
            index = coco.COCO(str(path), ann_data=content)
    except (KeyError, TypeError) as error:
        raise DataError(f'{path} is no COCO file: an image or annotation lacks {error}.') from error
    for part, found in (('annotations', index.anns), ('images', index.imgs)):
        if len(found) != len(content[part]):
            raise DataError(f'{path}: two {part} have the same id.')
    return index


def annotated_hands(coco: Any, path: Path) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Annotations in the order of the file, each with its image.

    Args:
        coco: What :func:`load_coco` returns.
        path: The file, named in errors.

    Yields:
        Annotation and image.

    Raises:
        DataError: An annotation is of an image that is not listed, or an image
            has no file name.
    """
    for annotation in coco.loadAnns(coco.getAnnIds()):
        image = coco.imgs.get(annotation['image_id'])
        if image is None or not isinstance(image.get('file_name'), str):
            raise DataError(
                f'{path}, annotation {annotation["id"]}: image {annotation["image_id"]} is not listed with a '
                'file_name.'
            )
        yield annotation, image
