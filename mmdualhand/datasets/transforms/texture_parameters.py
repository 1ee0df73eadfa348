"""What a texture augmentation may do, and the numbers one draw of it gives.

A texture changes the look of a view and never its geometry or labels. The
settings (:class:`RGBTexture`, :class:`DepthTexture`) map uniform numbers to
parameters. The mapping is written once for NumPy arrays (one sample, in a
worker) and Torch tensors (a batch, on the device), so both implementations
draw from the same distribution and equal uniforms give equal parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from types import ModuleType
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import torch

from mmdualhand.errors import ConfigError

Array = Any
"""A NumPy array or a Torch tensor; both sides of one call are of one kind."""
Range = tuple[float, float]
Setting = TypeVar('Setting', bound='_Texture')


class RGBParameters(NamedTuple):
    """One draw of an :class:`RGBTexture`; every field may have a leading batch dimension.

    Attributes:
        brightness: Factor on all channels.
        contrast: Factor about the mean luma of the image.
        saturation: Factor on the chroma.
        hue: Turn of the chroma, in full turns (0.1 = 36 degrees).
        gain: ``(..., 3)`` factors on R, G, B.
        grey: 1 to replace the colours by their luma, else 0.
        blur_sigma: Standard deviation of the Gaussian in pixels, 0 = off.
        noise_sigma: Standard deviation in grey levels of 255, 0 = off.
        box: ``(..., 4)`` erased pixels x0, y0, x1, y1 (end excluded), all 0 = off.
    """

    brightness: Array
    contrast: Array
    saturation: Array
    hue: Array
    gain: Array
    grey: Array
    blur_sigma: Array
    noise_sigma: Array
    box: Array


class DepthParameters(NamedTuple):
    """One draw of a :class:`DepthTexture`; every field may have a leading batch dimension.

    Attributes:
        radius: Pixels by which the silhouette grows (positive) or shrinks (negative).
        offset: Added to hand pixels, in units of the normalised map.
        blur_sigma: Standard deviation of the Gaussian in pixels, 0 = off.
        low_resolution: 1 to go to the output grid and back, else 0.
        noise_sigma: On hand pixels, in units of the normalised map, 0 = off.
        boxes: ``(..., holes, 4)`` x0, y0, x1, y1 (end excluded) set to background, all 0 = off.
        quantise: 1 to round to multiples of 1/255, else 0.
    """

    radius: Array
    offset: Array
    blur_sigma: Array
    low_resolution: Array
    noise_sigma: Array
    boxes: Array
    quantise: Array


class _Texture:
    """Checks that both settings share."""

    @classmethod
    def from_config(cls: type[Setting], config: Mapping[str, Any] | Setting | None) -> Setting:
        """Build the setting from a config dict; ``None`` and ``{}`` change nothing.

        Raises:
            ConfigError: Unknown key, or a value outside its domain.
        """
        if isinstance(config, cls):
            return config
        if config is not None and not isinstance(config, Mapping):
            raise ConfigError(f'a {cls.__name__} setting must be a dict or None, got {config!r}')
        values = dict(config or {})
        known = [item.name for item in fields(cls)]  # type: ignore[arg-type]
        for key in values:
            if key not in known:
                near = get_close_matches(str(key), known, n=2) or known
                raise ConfigError(f'{cls.__name__} has no key {key!r}. Did you mean {", ".join(near)}?')
        return cls(**values)

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            ConfigError: A probability outside [0, 1] or a malformed range.
        """
        for item in fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            least, top = item.metadata.get('min', 0), item.metadata.get('max', np.inf)
            if isinstance(item.default, tuple):
                numbers = tuple(value) if isinstance(value, (list, tuple)) else ()
                good, form = len(numbers) == 2, 'a pair (low, high) with low <= high, both'
                object.__setattr__(self, item.name, numbers)
            else:
                numbers, good, form = (value, value), True, 'a number'
            good = good and all(isinstance(number, (int, float)) for number in numbers)
            if not (good and least <= numbers[0] <= numbers[1] <= top):
                name = f'{type(self).__name__}.{item.name}'
                raise ConfigError(f'{name} must be {form} in [{least}, {top}], got {value!r}')


def _share(default: float = 0.0) -> Any:
    return field(default=default, metadata=dict(max=1.0))


@dataclass(frozen=True)
class RGBTexture(_Texture):
    """Ranges of the RGB texture; the defaults change nothing.

    Order of application: colour (one 3x4 affine matrix of brightness, contrast,
    saturation, hue, channel gain and grey, then clipped), blur, noise, erase.

    Attributes:
        brightness: b gives a factor in [1 - b, 1 + b]; contrast, saturation and ``channel_gain`` alike.
        hue: h gives a turn in [-h, h] of a full turn.
        jitter_prob: Share of images with brightness, contrast, saturation and hue changed.
        grey_prob: Share of images turned to grey.
        blur_prob: Share of blurred images; ``blur_sigma`` in pixels of the network input.
        noise_prob: Share of images with Gaussian noise; ``noise_sigma`` in grey levels of 255.
        erase_prob: Share of images with one box filled with ``erase_fill`` (grey level);
            ``erase_area`` as share of the image, ``erase_aspect`` = width / height.
    """

    brightness: float = _share()
    contrast: float = _share()
    saturation: float = _share()
    hue: float = field(default=0.0, metadata=dict(max=0.5))
    jitter_prob: float = _share(1.0)
    channel_gain: float = _share()
    grey_prob: float = _share()
    blur_prob: float = _share()
    blur_sigma: Range = (0.1, 2.0)
    noise_prob: float = _share()
    noise_sigma: Range = (0.0, 10.0)
    erase_prob: float = _share()
    erase_area: Range = field(default=(0.02, 0.16), metadata=dict(max=1.0))
    erase_aspect: Range = field(default=(0.3, 3.3), metadata=dict(min=0.01))
    erase_fill: float = field(default=0.0, metadata=dict(max=255.0))

    num_uniforms: ClassVar[int] = 18

    @property
    def changes_colour(self) -> bool:
        """Whether the colour matrix can differ from the identity."""
        jitter = self.brightness or self.contrast or self.saturation or self.hue
        return bool((jitter and self.jitter_prob) or self.channel_gain or self.grey_prob)

    def parameters(self, uniforms: Array, size: tuple[int, int]) -> RGBParameters:
        """Map uniform numbers to parameters.

        Args:
            uniforms: ``(..., 18)`` numbers in [0, 1), NumPy or Torch.
            size: Height and width of the image in pixels.

        Returns:
            Parameters of the same kind, leading dimensions kept.
        """
        u = [uniforms[..., i] for i in range(self.num_uniforms)]
        jitter = 1.0 * (u[0] < self.jitter_prob)
        xp = namespace(uniforms)
        gains = [1 + (2 * u[5 + i] - 1) * self.channel_gain for i in range(3)]
        return RGBParameters(
            brightness=1 + jitter * (2 * u[1] - 1) * self.brightness,
            contrast=1 + jitter * (2 * u[2] - 1) * self.contrast,
            saturation=1 + jitter * (2 * u[3] - 1) * self.saturation,
            hue=jitter * (2 * u[4] - 1) * self.hue,
            gain=xp.stack(gains, -1),
            grey=1.0 * (u[8] < self.grey_prob),
            blur_sigma=_gated(u[9], self.blur_prob, u[10], self.blur_sigma),
            noise_sigma=_gated(u[11], self.noise_prob, u[12], self.noise_sigma),
            box=_box(1.0 * (u[13] < self.erase_prob), u[14:18], self.erase_area, self.erase_aspect, size),
        )


@dataclass(frozen=True)
class DepthTexture(_Texture):
    """Ranges of the texture of a normalised depth map; the defaults change nothing.

    The map holds clip((Z - Z_root) / (2 * half_range * s) + 1/2, 0, 1) on the hand
    and 1 on the background, s = reference bone. Hand pixels are those below 1.
    Order of application: silhouette, offset, blur, low resolution, noise, holes,
    quantisation; the result stays in [0, 1] and holes are exactly 1.

    Attributes:
        noise_prob: Share of maps with Gaussian noise on hand pixels; ``noise_sigma`` in reference bones.
        offset: o adds a constant in [-o, o] reference bones to the hand pixels.
        blur_prob: Share of blurred maps; ``blur_sigma`` in pixels of the network input.
        silhouette_prob: Share of maps whose silhouette is eroded or dilated (even chance) by
            ``silhouette_px`` pixels; new pixels take the nearest depth in reach.
        hole_prob: Share of maps with ``hole_count`` boxes set to background, each ``hole_area`` of the
            image, ``hole_aspect`` = width / height.
        quantise_prob: Share of maps rounded to 8 bits.
        low_resolution: Share of maps averaged over ``low_resolution_stride`` pixels (the output
            grid) and brought back bilinearly, as a predicted depth map would look.
        half_range: Half range of the depth normalisation in reference bones.
    """

    noise_prob: float = _share()
    noise_sigma: Range = (0.02, 0.05)
    offset: float = 0.0
    blur_prob: float = _share()
    blur_sigma: Range = (0.1, 2.0)
    silhouette_prob: float = _share()
    silhouette_px: tuple[int, int] = field(default=(1, 3), metadata=dict(min=1, max=16))
    hole_prob: float = _share()
    hole_count: tuple[int, int] = field(default=(1, 4), metadata=dict(min=1, max=4))
    hole_area: Range = field(default=(0.02, 0.10), metadata=dict(max=1.0))
    hole_aspect: Range = field(default=(0.3, 3.3), metadata=dict(min=0.01))
    quantise_prob: float = _share()
    low_resolution: float = _share()
    low_resolution_stride: int = field(default=4, metadata=dict(min=1))
    half_range: float = field(default=3.0, metadata=dict(min=0.01))

    num_uniforms: ClassVar[int] = 28

    def parameters(self, uniforms: Array, size: tuple[int, int]) -> DepthParameters:
        """Map uniform numbers to parameters.

        Args:
            uniforms: ``(..., 28)`` numbers in [0, 1), NumPy or Torch.
            size: Height and width of the map in pixels.

        Returns:
            Parameters of the same kind, leading dimensions kept, lengths in units of the map.
        """
        u = [uniforms[..., i] for i in range(self.num_uniforms)]
        xp = namespace(uniforms)
        unit = 1 / (2 * self.half_range)
        low, high = self.silhouette_px
        sign = 1 - 2.0 * (u[6] < 0.5)
        few, many = self.hole_count
        count = 1.0 * (u[9] < self.hole_prob) * (few + xp.floor(u[10] * (many - few + 1)))
        boxes = [
            _box(1.0 * (i < count), u[11 + 4 * i : 15 + 4 * i], self.hole_area, self.hole_aspect, size)
            for i in range(many)
        ]
        return DepthParameters(
            radius=1.0 * (u[5] < self.silhouette_prob) * sign * (low + xp.floor(u[7] * (high - low + 1))),
            offset=(2 * u[2] - 1) * self.offset * unit,
            blur_sigma=_gated(u[3], self.blur_prob, u[4], self.blur_sigma),
            low_resolution=1.0 * (u[8] < self.low_resolution),
            noise_sigma=_gated(u[0], self.noise_prob, u[1], self.noise_sigma) * unit,
            boxes=xp.stack(boxes, -2),
            quantise=1.0 * (uniforms[..., -1] < self.quantise_prob),
        )


def namespace(value: Array) -> ModuleType:
    """The module (``torch`` or ``numpy``) whose functions take ``value``."""
    return torch if isinstance(value, torch.Tensor) else np


def _gated(gate: Array, prob: float, uniform: Array, span: Range) -> Array:
    return (gate < prob) * (span[0] + (span[1] - span[0]) * uniform)


def _box(gate: Array, u: list[Array], area: Range, aspect: Range, size: tuple[int, int]) -> Array:
    """Box of a drawn area and log-uniform aspect ratio, wholly inside the image; (..., 4) whole numbers."""
    xp = namespace(u[0])
    pixels = (area[0] + (area[1] - area[0]) * u[0]) * size[0] * size[1]
    ratio = aspect[0] * (aspect[1] / aspect[0]) ** u[1]
    wide = xp.clip(xp.round((pixels * ratio) ** 0.5), 1, size[1])
    tall = xp.clip(xp.round((pixels / ratio) ** 0.5), 1, size[0])
    left, top = xp.floor(u[2] * (size[1] - wide + 1)), xp.floor(u[3] * (size[0] - tall + 1))
    return xp.stack([gate * left, gate * top, gate * (left + wide), gate * (top + tall)], -1)
