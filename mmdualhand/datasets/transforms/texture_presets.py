"""Ready-made texture settings, to pass as they are or to copy into a config.

Lin, Yang, Yao, CVPR 2023, Section 4.2 names the textures T_RGB and T_DM of the
augmented view and prints no ranges; all values here are this project's. The
keys are those of ``RGBTexture`` and ``DepthTexture``.
"""

from __future__ import annotations

from typing import Any

MILD_RGB: dict[str, Any] = dict(
    brightness=0.2, contrast=0.2, saturation=0.2, hue=0.03, channel_gain=0.05,
    noise_prob=0.5, noise_sigma=(0.0, 3.0),
)  # fmt: skip
"""Plain view, RGB: enough that the decoder is not trained on clean renderings alone."""
STRONG_RGB: dict[str, Any] = dict(
    brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, channel_gain=0.2, grey_prob=0.1,
    blur_prob=0.3, blur_sigma=(0.1, 2.0), noise_prob=1.0, noise_sigma=(0.0, 10.0),
    erase_prob=0.3, erase_area=(0.02, 0.16),
)  # fmt: skip
"""Augmented view, RGB (T_RGB)."""
MILD_DEPTH: dict[str, Any] = dict(
    noise_prob=0.5, noise_sigma=(0.0, 0.02), offset=0.03, silhouette_prob=0.2, silhouette_px=(1, 1)
)
"""Plain view, depth."""
STRONG_DEPTH: dict[str, Any] = dict(
    noise_prob=1.0, noise_sigma=(0.02, 0.05), offset=0.1, blur_prob=0.3, blur_sigma=(0.1, 2.0),
    hole_prob=1.0, hole_count=(1, 4), hole_area=(0.02, 0.10), silhouette_prob=1.0, silhouette_px=(1, 3),
    quantise_prob=1.0, low_resolution=0.0,
)  # fmt: skip
"""Augmented view, depth (T_DM)."""
NONE: dict[str, Any] = {}
"""Changes nothing, for RGB and for depth."""
