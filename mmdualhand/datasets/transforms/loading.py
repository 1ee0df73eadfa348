"""From file names to arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmdualhand.datasets.depth_decoders import DEPTH_DECODERS
from mmdualhand.datasets.depth_registration import register_depth
from mmdualhand.datasets.image_io import read_photo, read_picture
from mmdualhand.datasets.picture_cache import PictureCache
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.registry import TRANSFORMS

MODALITIES = ('rgb', 'depth', 'mask')


@TRANSFORMS.register_module()
class LoadHandModalities(BaseTransform):
    """Read a record's pictures.

    Adds ``img`` (H, W, 3) uint8 RGB, ``depth`` (H, W) float32 mm with 0 where
    nothing was measured, and ``mask`` (H, W) uint8, 1 on this hand. Depth of
    another camera than the photo's (``depth_registration`` in the record) is
    brought into the photo's.

    With the environment variable ``HAND_CACHE=FOLDER`` every picture is decoded once
    and kept there; see :class:`~mmdualhand.datasets.picture_cache.PictureCache`. What
    is read is the same.

    Args:
        modalities: Which of ``'rgb'``, ``'depth'``, ``'mask'`` to read; the
            record must name them.

    Raises:
        ConfigError: An unknown modality, or ``'rgb'`` is left out.
    """

    def __init__(self, modalities: Sequence[str] = MODALITIES) -> None:
        unknown = [name for name in modalities if name not in MODALITIES]
        if unknown or 'rgb' not in modalities:
            raise ConfigError(f"modalities must be 'rgb' and any of 'depth', 'mask', got {tuple(modalities)}")
        self.modalities = tuple(modalities)
        self.cache = PictureCache.from_environment()

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Read the pictures of one record.

        Raises:
            MissingFileError: A file is not there.
            DataError: A file is broken, its size differs from the photo's, the
                photo's from that of its set, or the record does not name it.
        """
        sample = results['sample_id']
        results['img'] = read_photo(results['img_path'], sample, results.get('picture_size'), self.cache)
        for name, read in (('depth', _read_depth), ('mask', _read_mask)):
            if name not in self.modalities:
                continue
            if f'{name}_path' not in results:
                raise DataError(
                    f'sample {sample!r} has no {name} picture; take {name!r} out of modalities of '
                    'LoadHandModalities.'
                )
            results[name] = read(results, self.cache)
            if results[name].shape != results['img'].shape[:2]:
                raise DataError(
                    f'{results[f"{name}_path"]} of sample {sample!r} has (height, width) '
                    f'{results[name].shape}, '
                    f'its photo {results["img"].shape[:2]}.'
                )
        return results


def _read_depth(results: dict[str, Any], cache: PictureCache | None) -> np.ndarray:
    path, encoding = results['depth_path'], results['depth_encoding']
    if encoding not in DEPTH_DECODERS:
        raise DataError(
            f'sample {results["sample_id"]!r}: depth_encoding {encoding!r} is not known (known: '
            f'{", ".join(sorted(DEPTH_DECODERS))}); add it with register_depth_decoder.'
        )
    try:
        depth = DEPTH_DECODERS[encoding](read_picture(path, results['sample_id'], cache=cache))
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f'{path} of sample {results["sample_id"]!r}: {error}.') from error
    if 'depth_registration' not in results:
        return depth
    height, width = results['img'].shape[:2]
    motion = results['depth_registration']
    return register_depth(
        depth, motion['camera'], motion['rotation'], motion['translation'], results['camera'], (width, height)
    )


def _read_mask(results: dict[str, Any], cache: PictureCache | None) -> np.ndarray:
    labels = read_picture(results['mask_path'], results['sample_id'], cache=cache)
    if labels.ndim == 3:
        labels = labels[..., 0]
    low, high = results['mask_values']
    return ((labels >= low) & (labels <= high)).astype(np.uint8)
