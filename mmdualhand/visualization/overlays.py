"""Maps made visible: masks and attention over a photo, depth maps in colour.

Every function returns a new picture and leaves its arguments as they were.
"""

from __future__ import annotations

import numpy as np

from mmdualhand.visualization.images import Array, Colour, check_fraction, check_image, check_map, resize

MASK_COLOUR: Colour = (40, 200, 120)
"""Default colour of a hand mask, RGB."""

DEPTH_ANCHORS: tuple[tuple[float, Colour], ...] = (
    (0.0, (255, 246, 200)),
    (0.25, (253, 176, 88)),
    (0.5, (222, 73, 104)),
    (0.75, (110, 34, 134)),
    (0.9, (56, 24, 94)),
    (1.0, (36, 36, 36)),
)
"""Value of a depth map -> RGB: near is bright, the background 1 neutral dark grey; luminance only falls."""

ATTENTION_ANCHORS: tuple[tuple[float, Colour], ...] = (
    (0.0, (24, 28, 96)),
    (0.35, (34, 128, 170)),
    (0.65, (120, 206, 96)),
    (1.0, (255, 240, 120)),
)
"""Scaled attention weight -> RGB: dark blue is the least, yellow the most attended place."""


def _colour_table(anchors: tuple[tuple[float, Colour], ...]) -> np.ndarray:
    positions = [position for position, _ in anchors]
    colours = np.array([colour for _, colour in anchors], np.float64)
    levels = np.linspace(0.0, 1.0, 256)
    channels = [np.interp(levels, positions, channel) for channel in colours.T]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


_DEPTH_TABLE = _colour_table(DEPTH_ANCHORS)
_ATTENTION_TABLE = _colour_table(ATTENTION_ANCHORS)


def _look_up(table: np.ndarray, value: np.ndarray) -> np.ndarray:
    """``value`` (h, w) in 0..1 -> (h, w, 3): the nearest of the table's 256 levels."""
    return table[np.rint(value * 255.0).astype(np.uint8)]


def _blend(image: np.ndarray, colour: np.ndarray, weight: np.ndarray | float) -> np.ndarray:
    """``(1 - weight) * image + weight * colour``, rounded to uint8."""
    photo = image.astype(np.float32)
    return np.rint(photo + weight * (colour.astype(np.float32) - photo)).astype(np.uint8)


def overlay_mask(
    image: np.ndarray, mask: Array, colour: Colour = MASK_COLOUR, alpha: float = 0.5
) -> np.ndarray:
    """Tint a picture where a mask says hand.

    A pixel becomes ``(1 - alpha m) * pixel + alpha m * colour``.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        mask: ``(h, w)``, 0 to 1 (clipped; not-a-number counts as 0). Another
            size than the picture's is resized to it, so mask and picture must
            show the same frame.
        colour: RGB of the tint.
        alpha: Opacity where the mask is 1, in [0, 1].

    Returns:
        ``(H, W, 3)`` uint8 RGB, a new array.

    Raises:
        ValueError: An argument has another shape, type or range.
    """
    check_image(image)
    alpha = check_fraction(alpha, 'alpha')
    share = np.clip(np.nan_to_num(check_map(mask, 'mask')), 0.0, 1.0)
    share = resize(share, (image.shape[1], image.shape[0]))
    return _blend(image, np.asarray(colour), alpha * share[..., None])


def colorize_depth(depth_map: Array) -> np.ndarray:
    """Colour a normalised depth map: near is bright, background neutral.

    Args:
        depth_map: ``(h, w)`` in [0, 1] as `NormalizeDepth` makes it: the root at
            one half, the background at 1. Clipped; not-a-number is background.

    Returns:
        ``(h, w, 3)`` uint8 RGB by :data:`DEPTH_ANCHORS`.

    Raises:
        ValueError: ``depth_map`` is not a two-dimensional map.
    """
    value = np.nan_to_num(check_map(depth_map, 'depth_map'), nan=1.0)
    return _look_up(_DEPTH_TABLE, np.clip(value, 0.0, 1.0))


def attention_heatmap(
    image: np.ndarray,
    weights: Array,
    *,
    alpha: float = 0.5,
    limits: tuple[float, float] | None = None,
) -> np.ndarray:
    """Lay attention weights over a picture in colour.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        weights: ``(h, w)`` of any scale, for example one map of
            ``DepthAttention.weights`` (spatial mean 1). Resized to the picture.
        alpha: Opacity of the colours, in [0, 1].
        limits: Weights shown in the lowest and the highest colour, for pictures
            that are to be compared; the map's own finite extremes by default.
            A constant map is shown in the lowest colour throughout.

    Returns:
        ``(H, W, 3)`` uint8 RGB, a new array.

    Raises:
        ValueError: An argument has another shape, type or range.
    """
    check_image(image)
    alpha = check_fraction(alpha, 'alpha')
    value = check_map(weights, 'weights')
    finite = value[np.isfinite(value)]
    if limits is None:
        limits = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    elif not limits[0] < limits[1]:
        raise ValueError(f'limits must be (lowest, highest) with lowest < highest, got {limits}')
    low, high = limits
    span = high - low
    # infinities are the extremes of the colour scale, not-a-number its lowest colour
    value = np.nan_to_num(value, nan=low, posinf=high, neginf=low)
    scaled = np.clip((value - low) / span, 0.0, 1.0) if span > 0 else np.zeros_like(value)
    scaled = resize(scaled.astype(np.float32), (image.shape[1], image.shape[0]))
    return _blend(image, _look_up(_ATTENTION_TABLE, scaled), alpha)
