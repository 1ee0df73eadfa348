"""All colour changes of a texture as one affine 3x4 matrix per image.

Hue and saturation act linearly on the chroma plane of YIQ, so that they,
brightness, contrast, channel gain and the change to grey are one matrix. The
same code serves NumPy (one image) and Torch (a batch).
"""

from __future__ import annotations

import numpy as np

from .texture_parameters import Array, RGBParameters, namespace

LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G, B in the luma (ITU-R BT.601)."""


def colour_basis() -> np.ndarray:
    """The constant matrices that every colour matrix is a sum of.

    Returns:
        ``(4, 3, 3)`` float64: identity, projection to the luma (grey), projection
        to the chroma, and the chroma turned by 90 degrees in the (I, Q) plane.
    """
    yiq = np.array([LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112)])
    quarter_turn = np.array([(0.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)])
    identity, luma = np.eye(3), np.tile(np.array(LUMA), (3, 1))
    return np.stack([identity, luma, identity - luma, np.linalg.inv(yiq) @ quarter_turn @ yiq])


def colour_matrix(parameters: RGBParameters, mean: Array, basis: Array) -> tuple[Array, Array]:
    """Compose brightness, contrast, saturation with hue, channel gain and grey, in this order.

    Nothing is clipped between the steps. Neutral parameters give exactly the
    identity and zero, so an image then stays the same bit for bit.

    Args:
        parameters: One draw; fields ``(...)``, gain ``(..., 3)``.
        mean: ``(..., 3)`` mean colour of the image; contrast pivots about its luma.
        basis: :func:`colour_basis`, of the kind and device of the parameters.

    Returns:
        Linear part ``(..., 3, 3)`` and offset ``(..., 3)``: colour -> linear @ colour + offset.
    """
    xp = namespace(mean)
    identity, luma, chroma, turned = basis[0], basis[1], basis[2], basis[3]

    def wide(value: Array) -> Array:
        return value[..., None, None]

    angle = 2 * np.pi * parameters.hue
    saturation = parameters.saturation
    colour = (
        identity
        + wide(saturation * xp.cos(angle) - 1) * chroma
        + wide(saturation * xp.sin(angle)) * turned
    )
    grey = identity + wide(parameters.grey) * (luma - identity)
    linear = grey @ (parameters.gain[..., :, None] * colour)
    pivot = (1 - parameters.contrast) * parameters.brightness * (mean * luma[0]).sum(-1)
    offset = linear.sum(-1) * pivot[..., None]
    return linear * wide(parameters.brightness * parameters.contrast), offset
