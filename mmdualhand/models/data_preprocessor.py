"""From the collated batch to what the network takes: both views, textured and normalised, on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmdualhand.codecs import full_precision
from mmdualhand.datasets.transforms.photometric import check_half_range, parse_views
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.models.texture import BatchTexture
from mmdualhand.registry import MODELS

IMAGENET_MEAN = (123.675, 116.28, 103.53)
"""R, G, B in 0..255."""
IMAGENET_STD = (58.395, 57.12, 57.375)
"""R, G, B in 0..255."""
DEPTH_MAX = 65535
"""The uint16 value that stands for depth 1 (background) over the worker pipe."""


@MODELS.register_module()
class HandDataPreprocessor(BaseDataPreprocessor):
    """Move a batch to the device, build the two views there and normalise.

    The views share geometry and labels and differ in texture. They come either
    from ``texture`` (batched, on the device) or from the ``TextureViews``
    transform (in the workers): where the batch already holds worker views,
    ``texture`` is not applied on top.

    Args:
        mean: R, G, B mean in 0..255.
        std: R, G, B standard deviation in 0..255.
        texture: ``dict(plain=dict(rgb=..., depth=...), augmented=dict(rgb=..., depth=...))`` with
            the keys of ``RGBTexture`` and ``DepthTexture``; ``None``: no texture on the device.
        augmented_view: Whether training gets the augmented view too (two views, 2B rows).
        non_blocking: Copy to the device without waiting; useful with pinned memory.

    Raises:
        ConfigError: ``texture`` is malformed, or has no augmented view while one is asked for.
        ValueError: ``mean`` or ``std`` is not three numbers, or a ``std`` is not positive.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        texture: Mapping[str, Any] | None = None,
        augmented_view: bool = True,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError(f'mean and std must be three numbers, std above 0; got {mean!r} and {std!r}')
        self.register_buffer('mean', torch.tensor(mean).float().view(1, 3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).float().view(1, 3, 1, 1), persistent=False)
        self.augmented_view = augmented_view
        self.textures = torch.nn.ModuleDict()
        if texture is not None:
            for name, view in parse_views(texture, augmented_view).items():
                self.textures[name] = BatchTexture(view.rgb, view.depth)

    @torch.no_grad()
    def forward(self, data: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """Turn a collated batch into network inputs.

        Args:
            data: ``inputs``: ``img`` (B, 3, H, W) uint8 RGB and, where loaded, ``depth`` (B, 1, H, W)
                uint16 (0..65535 for 0..1), ``mask`` (B, 1, H, W) uint8; from ``TextureViews`` also
                ``img_augmented``, ``depth_plain``, ``depth_augmented``. ``targets``: dict of tensors.
                ``data_samples``: list, handed through and left on the host.
            training: Textures and the augmented view are for training only.

        Returns:
            ``inputs``: ``rgb`` (V*B, 3, H, W) float32 normalised, ``depth`` (V*B, 1, H, W) float32 in
            [0, 1] where loaded, ``views`` V = 1 or 2, plain rows first. ``targets``: those given plus
            ``mask`` (B, 1, H, W) float32 0 or 1 and ``depth_map`` (B, 1, H, W) float32, the clean
            map. ``data_samples`` as given.

        Raises:
            ConfigError: The augmented view is wanted and nothing makes it, or ``half_range`` of a depth
                texture is not that of ``NormalizeDepth``.
            DataError: The batch is not a collated one or holds no image.
        """
        _check(data)
        if training:
            self._check_half_range(data)
        inputs: dict[str, Tensor] = self.cast_data(data['inputs'])
        targets: dict[str, Tensor] = dict(self.cast_data(data.get('targets') or {}))
        with full_precision(inputs['img'].device):
            views = self._views(inputs, training)
            if 'mask' in inputs:
                targets['mask'] = (inputs['mask'] > 0).float()
            if 'depth' in inputs:
                targets['depth_map'] = _depth(inputs['depth'])
            rgb = torch.cat([view for view, _ in views]) if len(views) > 1 else views[0][0]
            result: dict[str, Any] = {'rgb': (rgb - self.mean) / self.std, 'views': len(views)}
            maps = [depth for _, depth in views if depth is not None]
            if maps:
                result['depth'] = torch.cat(maps)
        return {'inputs': result, 'targets': targets, 'data_samples': data.get('data_samples')}

    def _check_half_range(self, data: Mapping[str, Any]) -> None:
        """Compare settings with the first sample; nothing here is on the device."""
        samples = data.get('data_samples') or ()
        if self.textures and 'depth' in data['inputs'] and 'depth_plain' not in data['inputs'] and samples:
            settings: dict[str, Any] = {name: view.depth for name, view in self.textures.items()}
            check_half_range(settings, getattr(samples[0], 'metainfo', {}).get('depth_half_range'))

    def _views(self, inputs: Mapping[str, Tensor], training: bool) -> list[tuple[Tensor, Tensor | None]]:
        """RGB in 0..255 and depth in 0..1 of each view."""
        rgb = inputs['img'].float()
        depth = _depth(inputs['depth']) if 'depth' in inputs else None
        if not training:
            return [(rgb, depth)]
        if 'img_augmented' in inputs or 'depth_plain' in inputs:
            return self._worker_views(inputs, rgb, depth)
        if self.augmented_view and not self.textures:
            raise ConfigError(
                'augmented_view=True but nothing makes the augmented view. Set texture=dict(plain=..., '
                'augmented=...) of the data preprocessor, or put a TextureViews transform into the '
                'training pipeline (or set augmented_view=False).'
            )
        views = [texture(rgb, depth) for texture in self.textures.values()]
        return views or [(rgb, depth)]

    def _worker_views(
        self, inputs: Mapping[str, Tensor], rgb: Tensor, depth: Tensor | None
    ) -> list[tuple[Tensor, Tensor | None]]:
        textured = depth is not None and 'depth_plain' in inputs
        plain = (rgb, _depth(inputs['depth_plain']) if textured else depth)
        if not self.augmented_view:
            return [plain]
        needed = ['img_augmented'] + ([] if depth is None else ['depth_augmented'])
        missing = [key for key in needed if key not in inputs]
        if missing:
            raise ConfigError(
                f'augmented_view=True but the batch holds no {missing[0]}; give TextureViews an augmented '
                'view, or set augmented_view=False of the data preprocessor.'
            )
        augmented = None if depth is None else _depth(inputs['depth_augmented'])
        return [plain, (inputs['img_augmented'].float(), augmented)]


def _depth(stored: Tensor) -> Tensor:
    return stored.to(torch.float32) / DEPTH_MAX


def _check(data: Mapping[str, Any]) -> None:
    inputs = data.get('inputs') if isinstance(data, Mapping) else None
    if not isinstance(inputs, Mapping):
        raise DataError(
            'the data preprocessor needs a collated batch dict(inputs=dict(img=...), ...); use '
            "PackHandInputs and collate_fn=dict(type='mmdualhand.collate_hand_batch')"
        )
    image = inputs.get('img')
    if not isinstance(image, Tensor) or image.ndim != 4 or image.shape[1] != 3:
        got = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise DataError(f"inputs['img'] must be a tensor (B, 3, H, W), got {got}; use PackHandInputs")
