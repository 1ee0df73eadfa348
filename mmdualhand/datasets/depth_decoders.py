"""How each dataset stores depth in a picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

DepthDecoder = Callable[[np.ndarray], np.ndarray]

DEPTH_DECODERS: dict[str, DepthDecoder] = {}


def register_depth_decoder(name: str) -> Callable[[DepthDecoder], DepthDecoder]:
    """Add a decoder under the name that records give as ``depth_encoding``.

    The decorated function gets the stored picture, (H, W) or (H, W, C) with
    channels in RGB order, and returns (H, W) float32 in mm with 0 where nothing
    was measured.

    Args:
        name: The new name.

    Returns:
        The decorator.

    Raises:
        ValueError: The name is taken by another function.
    """

    def add(decoder: DepthDecoder) -> DepthDecoder:
        if DEPTH_DECODERS.setdefault(name, decoder) is not decoder:
            raise ValueError(f'a depth decoder named {name!r} exists already')
        return decoder

    return add


@register_depth_decoder('rhd')
def decode_rhd_depth(picture: np.ndarray) -> np.ndarray:
    """Decode RHD: (R * 256 + G) / 65535 * 5 m.

    Source: ``view_samples.py`` in the published archive.

    Args:
        picture: (H, W, 3) uint8 in RGB order.

    Returns:
        (H, W) float32 mm.

    Raises:
        ValueError: Not an 8-bit three-channel picture.
    """
    if picture.ndim != 3 or picture.shape[2] < 3 or picture.dtype != np.uint8:
        raise ValueError(f'an RHD depth picture is (H, W, 3) uint8, got {picture.shape} {picture.dtype}')
    code = (picture[..., 0].astype(np.uint16) << 8) | picture[..., 1]
    return code.astype(np.float32) * np.float32(5000.0 / 65535.0)


@register_depth_decoder('millimetre')
def decode_millimetre_depth(picture: np.ndarray) -> np.ndarray:
    """Decode a single-channel picture that holds whole millimetres.

    Args:
        picture: (H, W) uint16.

    Returns:
        (H, W) float32 mm.

    Raises:
        ValueError: Not a 16-bit one-channel picture.
    """
    if picture.ndim != 2 or picture.dtype != np.uint16:
        raise ValueError(f'a millimetre depth picture is (H, W) uint16, got {picture.shape} {picture.dtype}')
    return picture.astype(np.float32)


@register_depth_decoder('stb')
def decode_stb_depth(picture: np.ndarray) -> np.ndarray:
    """Decode ``SK_depth_*.png`` of STB: R + 256 G, mm.

    Source: readme of the dataset's authors.

    Args:
        picture: (H, W, 3) uint8 in RGB order.

    Returns:
        (H, W) float32 mm.

    Raises:
        ValueError: Not an 8-bit three-channel picture.
    """
    if picture.ndim != 3 or picture.shape[2] < 3 or picture.dtype != np.uint8:
        raise ValueError(f'an STB depth picture is (H, W, 3) uint8, got {picture.shape} {picture.dtype}')
    code = picture[..., 0] | (picture[..., 1].astype(np.uint16) << 8)
    return code.astype(np.float32)


@register_depth_decoder('mvhand')
def decode_mvhand_depth(picture: np.ndarray) -> np.ndarray:
    """Decode ``depth/*.png`` of MVHand: B + 256 G, mm, because OpenCV wrote its channels as BGR.

    Source: writer and reader of the dataset's authors (multiviewDataset).

    Args:
        picture: (H, W, 3) uint8 in RGB order.

    Returns:
        (H, W) float32 mm.

    Raises:
        ValueError: Not an 8-bit three-channel picture.
    """
    if picture.ndim != 3 or picture.shape[2] < 3 or picture.dtype != np.uint8:
        raise ValueError(f'an MVHand depth picture is (H, W, 3) uint8, got {picture.shape} {picture.dtype}')
    code = picture[..., 2] | (picture[..., 1].astype(np.uint16) << 8)
    return code.astype(np.float32)
