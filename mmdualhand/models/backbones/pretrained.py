"""ImageNet weights into both encoders."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mmdualhand.errors import ConfigError, MissingFileError, UnsafeFileError
from mmdualhand.models.branch_norm import BranchBatchNorm


def load_resnet_weights(backbone: Any, init_cfg: Mapping[str, Any]) -> None:
    """Load torchvision-named ResNet weights into ``rgb_encoder`` and ``depth_encoder``.

    The depth encoder takes one channel; its first convolution is the sum of
    the published one over the RGB channels, which equals feeding the depth map
    to all three. Running statistics go to every branch.

    Args:
        backbone: A :class:`~mmdualhand.models.backbones.DualResNet`.
        init_cfg: ``dict(type='Pretrained', checkpoint='URL or path')``.

    Raises:
        ConfigError: Another ``type``, or keys that do not match (all but
            ``fc`` must).
        MissingFileError: The file is missing or cannot be downloaded.
    """
    source = str(init_cfg.get('checkpoint'))
    state = fetch_weights(init_cfg)
    _fill(backbone.rgb_encoder, state, source)
    message = f'ImageNet weights from {source}: {len(state)} tensors into the RGB encoder'
    if backbone.depth_encoder is not None:
        depth = dict(state)
        depth['conv1.weight'] = state['conv1.weight'].sum(1, keepdim=True)
        _fill(backbone.depth_encoder, depth, source)
        message += f', {len(depth)} into the depth encoder (first convolution summed over RGB)'
    print_log(message, logger='current', level=logging.INFO)


def fetch_weights(init_cfg: Mapping[str, Any]) -> dict[str, Tensor]:
    """Read (and, for a URL, download once) the weights that a config names.

    Args:
        init_cfg: ``dict(type='Pretrained', checkpoint='URL or path')``.

    Returns:
        The state dict without the classifier ``fc``.

    Raises:
        ConfigError: Another ``type``.
        MissingFileError: The file is missing or cannot be downloaded.
        UnsafeFileError: The file holds more than tensors, or is damaged.
    """
    if init_cfg.get('type') != 'Pretrained' or 'checkpoint' not in init_cfg:
        raise ConfigError(
            "backbone.init_cfg must be None or dict(type='Pretrained', checkpoint='URL or path'), "
            f'got {dict(init_cfg)}'
        )
    return _read(str(init_cfg['checkpoint']))


def _ways_out(source: str) -> str:
    return (
        f'download {source} elsewhere and put it into {Path(torch.hub.get_dir()) / "checkpoints"}, '
        'where it is found by its name; a config may also name the file '
        '(--cfg-options model.backbone.init_cfg.checkpoint=PATH) or start from random weights '
        '(--cfg-options model.backbone.init_cfg=None)'
    )


def _read(source: str) -> dict[str, Tensor]:
    remote = source.startswith(('http://', 'https://'))
    if not remote and not Path(source).is_file():
        raise MissingFileError(
            f'the pretrained weights {source!r} are not there: give the path of a ResNet state dict with '
            'torchvision names, a URL, or random weights with '
            '--cfg-options model.backbone.init_cfg=None'
        )
    try:
        state = (
            torch.hub.load_state_dict_from_url(source, map_location='cpu', weights_only=True, progress=False)
            if remote
            else torch.load(source, map_location='cpu', weights_only=True)
        )
    except (URLError, OSError) as error:
        raise MissingFileError(
            f'the ImageNet weights could not be downloaded ({error}): {_ways_out(source)}'
        ) from error
    except Exception as error:  # torch raises RuntimeError, UnpicklingError, EOFError ... for bad files
        raise UnsafeFileError(f'{source} is not a plain file of tensors: {error}') from error
    state = state.get('state_dict', state)
    return {key: value for key, value in state.items() if not key.startswith('fc.')}


def _fill(encoder: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    own = encoder.state_dict()
    branch_only = {key for key in own if key.rsplit('.', 1)[-1].startswith(('running_mean_', 'running_var_'))}
    counters = {key for key in own if key.endswith('num_batches_tracked')}
    missing = sorted(set(own) - set(state) - branch_only - counters)
    unexpected = sorted(set(state) - set(own))
    wrong = sorted(key for key in set(own) & set(state) if own[key].shape != state[key].shape)
    if missing or unexpected or wrong:
        raise ConfigError(
            f'{source} does not fit {type(encoder).__name__}: {len(missing)} keys missing {missing[:3]}, '
            f'{len(unexpected)} unexpected {unexpected[:3]}, {len(wrong)} of another shape {wrong[:3]}; '
            'check depth and base_channels, or use --cfg-options model.backbone.init_cfg=None'
        )
    encoder.load_state_dict(dict(state), strict=False)
    for module in encoder.modules():
        if isinstance(module, BranchBatchNorm):
            module.spread_statistics()
