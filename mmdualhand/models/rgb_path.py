"""The part of a network that runs on a photo alone, as a module of its own: uint8 crops in, keypoints out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.models.estimators.heatmap import HeatmapEstimator
from mmdualhand.models.heads import HeatmapPrediction
from mmdualhand.structures import to_grid

OUTPUTS_2D = ('keypoints', 'pose25d', 'confidence_raw')
"""Keys of what a network of 2D heat maps gives, in the order of an exported file."""
OUTPUTS_3D = (*OUTPUTS_2D, 'mask', 'depth_map')
"""Keys of what a 2.5D network gives, in the order of an exported file."""


class RGBPath(nn.Module):
    """RGB encoder, decoder and codec; made by :func:`rgb_path`.

    Normalisation is inside, so a caller hands over pixels. In eval mode it gives exactly what
    the estimator predicts for the same crops; it shares the estimator's weights.

    Args:
        encoder: Network from normalised RGB to the features that ``head`` takes; one with
            ``stem`` and ``stages`` is run stage by stage.
        head: Decoder with a ``codec``.
        mean: ``(1, 3, 1, 1)`` in 0..255.
        std: ``(1, 3, 1, 1)`` in 0..255.
        dims: 3, or 2 for a network of heat maps.

    Attributes:
        input_size: ``(w, h)`` of the crops, px.
        dims: 3, or 2: then d of ``pose25d`` is NaN, and there are no ``mask`` and ``depth_map``.
        folded: Whether the standard deviation is part of the weights.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, encoder: nn.Module, head: nn.Module, mean: Tensor, std: Tensor, dims: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head: Any = head
        self.register_buffer('mean', mean.detach().clone())
        self.register_buffer('std', std.detach().clone())
        self.dims = dims
        self.folded = False

    @property
    def input_size(self) -> tuple[int, int]:
        """``(w, h)`` of the crops, px."""
        width, height = self.head.codec.input_size
        return int(width), int(height)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Keys of the result, in the order of an exported file."""
        return OUTPUTS_3D if self.dims == 3 else OUTPUTS_2D

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        """Predict.

        Args:
            crops: ``(B, H, W, 3)`` uint8 RGB of :attr:`input_size`, left hands mirrored.

        Returns:
            ``keypoints (B, 21, 2)`` px of the crop; ``pose25d (B, 21, 3)``, u, v on the 64-grid of
            the crop, d in reference bones from the root; ``confidence_raw (B, 21)`` in 0..1, the
            codec's own score, not calibrated; ``mask (B, h, w)`` in 0..1; ``depth_map (B, h, w)``
            in 0..1. All float32.

        Raises:
            ConfigError: The crops are of another size.
            ValueError: The crops are no uint8 pictures.
        """
        self._check(crops)
        return self.decode(self.normalise(crops))

    def _check(self, crops: Tensor) -> None:
        if crops.ndim != 4 or crops.shape[3] != 3 or crops.dtype != torch.uint8:
            raise ValueError(f'crops must be uint8 (B, H, W, 3), got {crops.dtype} {tuple(crops.shape)}')
        width, height = self.input_size
        if crops.shape[1] != height or crops.shape[2] != width:
            raise ConfigError(
                f'the crops are {crops.shape[2]} x {crops.shape[1]} pixels, '
                f'the network takes {width} x {height}'
            )

    def normalise(self, crops: Tensor) -> Tensor:
        """``(B, H, W, 3)`` uint8 to what the encoder takes, ``(B, 3, H, W)`` float32."""
        # The order in memory decides which convolution kernel runs, and so the last bits.
        centred = crops.permute(0, 3, 1, 2).contiguous().float() - self.mean
        return centred if self.folded else centred / self.std

    def decode(self, rgb: Tensor) -> dict[str, Tensor]:
        """Predict from normalised crops ``(B, 3, H, W)``; see :meth:`forward`."""
        features = self._features(rgb)
        if self.dims == 2:
            found: HeatmapPrediction = self.head(features)
            uv = found.uv.float()
            pose = torch.cat([uv, torch.full_like(uv[..., :1], torch.nan)], -1)
            return {'keypoints': self._pixels(uv), 'pose25d': pose, 'confidence_raw': found.score.float()}
        prediction = self.head(features, with_scores=True)
        return {
            'keypoints': self._pixels(prediction.pose25d[..., :2]),
            'pose25d': prediction.pose25d,
            'confidence_raw': prediction.scores,
            'mask': prediction.mask[:, 0],
            'depth_map': prediction.depth_map[:, 0].clamp(0, 1),
        }

    def _pixels(self, uv: Tensor) -> Tensor:
        return to_grid(uv, self.head.codec.grid_size, self.input_size)

    def _features(self, rgb: Tensor) -> Any:
        encoder: Any = self.encoder
        if not hasattr(encoder, 'stages') or self.dims == 2:
            found = encoder(rgb)
            return found['rgb'] if isinstance(found, Mapping) else found
        features = encoder.stem(rgb)
        for stage in encoder.stages:
            features = stage(features)
        return features


def rgb_path(estimator: Any) -> RGBPath:
    """Take the RGB path out of an estimator.

    Whether it stands for itself is tried on a made-up crop: it must give exactly what the
    estimator predicts.

    Args:
        estimator: A network of this package or of your own; in eval mode afterwards, because the
            path shares its modules.

    Returns:
        The path, in eval mode, on the estimator's device.

    Raises:
        ConfigError: The prediction from RGB needs more than an RGB encoder and a decoder.
    """
    estimator.eval()
    encoder, head = _parts(estimator)
    mean, std = _normalisation(estimator)
    dims = 2 if isinstance(estimator, HeatmapEstimator) else 3
    path = RGBPath(encoder, head, mean, std, dims).eval()
    _compare(estimator, path)
    return path


def _parts(estimator: Any) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder that predict from RGB."""
    parts = {name: getattr(estimator, name, None) for name in ('backbone', 'head')}
    teacher = getattr(estimator, 'teacher', None)
    if teacher is not None and getattr(estimator, 'test_network', '') == 'teacher':
        teacher.start(parts)
        parts = teacher.parts
    encoder = getattr(parts['backbone'], 'rgb_encoder', parts['backbone'])
    head = parts['head']
    if not isinstance(encoder, nn.Module) or not isinstance(head, nn.Module) or not hasattr(head, 'codec'):
        raise ConfigError(
            f'the RGB path of {type(estimator).__name__} is not self-contained: it must have a backbone and '
            'a head with a codec, and predict from RGB by these two alone'
        )
    return encoder, head


def _normalisation(estimator: Any) -> tuple[Tensor, Tensor]:
    preprocessor = getattr(estimator, 'data_preprocessor', None)
    streams = getattr(preprocessor, 'streams', None)
    plain: Any = preprocessor if streams is None else streams['target']
    if not hasattr(plain, 'mean') or not hasattr(plain, 'std'):
        raise ConfigError(
            f'the RGB path of {type(estimator).__name__} is not self-contained: its data preprocessor has no '
            'mean and std (HandDataPreprocessor)'
        )
    return plain.mean, plain.std


@torch.no_grad()
def _compare(estimator: Any, path: RGBPath) -> None:
    """The path must give what the estimator predicts, to the last bit."""
    width, height = path.input_size
    generator = torch.Generator().manual_seed(0)
    crop = torch.randint(0, 256, (1, height, width, 3), generator=generator, dtype=torch.uint8)
    crop = crop.to(path.mean.device)
    name = type(estimator).__name__
    try:
        inputs = {'rgb': path.normalise(crop), 'views': 1}
        alone = tuple(getattr(estimator, 'test_branches', ('rgb',))) == ('rgb',)
        expected = (estimator.predict_branches if alone else estimator.extract)(inputs)['rgb']
        found = path(crop)
    except (KeyError, TypeError, AttributeError, RuntimeError, ConfigError) as error:
        raise ConfigError(
            f'the RGB path of {name} is not self-contained: it does not run on RGB alone '
            f'({type(error).__name__}: {error})'
        ) from error
    for key, value in _whole(expected).items():
        part = found[key][..., : value.shape[-1]] if key == 'pose25d' else found[key]
        if not torch.equal(value, part):
            raise ConfigError(
                f'the RGB path of {name} is not self-contained: backbone and head by themselves predict '
                f'something else than the whole network does from RGB ({key})'
            )


def _whole(prediction: Any) -> dict[str, Tensor]:
    """What an estimator predicts, under the keys of :meth:`RGBPath.forward`, as far as it goes."""
    if isinstance(prediction, HeatmapPrediction):
        return {'pose25d': prediction.uv.float(), 'confidence_raw': prediction.score.float()}
    found = {
        'pose25d': prediction.pose25d,
        'mask': prediction.mask[:, 0],
        'depth_map': prediction.depth_map[:, 0].clamp(0, 1),
    }
    return found if prediction.scores is None else {**found, 'confidence_raw': prediction.scores}
