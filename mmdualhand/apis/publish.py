"""A checkpoint for others: weights and what is needed to build and read the network, nothing else."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmdualhand import __version__, compat
from mmdualhand.apis.model_zoo import get_config
from mmdualhand.engine.weights import match_weights
from mmdualhand.errors import ConfigError
from mmdualhand.evaluation.calibration import Calibration
from mmdualhand.registry import MODELS

HASH_DIGITS = 8
"""First digits of the file's SHA-256 at the end of its name."""
_KEPT_META = ('epoch', 'iter', 'custom_imports')
"""Entries of a training's ``meta`` that say something of the weights."""


def publish_model(
    checkpoint: str | Path,
    out: str | Path | None = None,
    *,
    config: str | Path | None = None,
    calibration: str | Path | None = None,
) -> Path:
    """Write the weights of a training to a file for others.

    It holds tensors, numbers, strings and containers, so it loads with ``weights_only=True``, and
    no optimiser, no history of the run and no paths of this machine. ``meta`` has the network,
    the calibration where there is one, the epoch and the version. The same weights
    give the same file, whose name ends in the first digits of its SHA-256.

    Args:
        checkpoint: Of a training.
        out: Name of the new file without the digits; ``CHECKPOINT_published.pth`` beside it where None.
        config: Config that the network was trained with, where the checkpoint does not name it.
        calibration: File of ``mmdualhand calibrate``; that of the checkpoint where None.

    Returns:
        The new file, ``OUT-xxxxxxxx.pth``.

    Raises:
        ConfigError: The network is not known, or the weights are not all of it.
        DataError: The calibration is none.
        MissingFileError: A file is not there.
        UnsafeFileError: The checkpoint is damaged or holds more than tensors.
    """
    source = Path(checkpoint).expanduser()
    content = compat.load_from_local(str(source), map_location='cpu')
    meta = dict(content.get('meta') or {})
    network = _network(meta, config, source)
    published: dict[str, Any] = {name: meta[name] for name in _KEPT_META if meta.get(name)}
    published.update(model=network, mmdualhand_version=__version__)
    carried = meta.get('calibration')
    if calibration is not None:
        carried = Calibration.load(calibration).to_dict()
    if carried is not None:
        published['calibration'] = carried
    state = _state(content, source)
    match_weights(MODELS.build(network), state, source=str(source))
    data = _encode({'meta': compat.to_plain(published), 'state_dict': state})
    target = Path(out).expanduser() if out is not None else source.with_name(f'{source.stem}_published.pth')
    return _write(data, target)


def _network(meta: Mapping[str, Any], config: str | Path | None, source: Path) -> dict[str, Any]:
    """The network's config as plain data, without weights to start from: it has its own."""
    saved = meta.get('model')
    if config is not None:
        saved = get_config(config).get('model')
    if saved is None:
        raise ConfigError(
            f'{source if config is None else config} does not name a network: give the config that it was '
            'trained with (--config)'
        )
    plain: dict[str, Any] = _without_start(compat.to_plain(saved))
    return plain


def _without_start(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: None if key == 'init_cfg' else _without_start(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without_start(item) for item in value)
    return value


def _state(content: Mapping[str, Any], source: Path) -> dict[str, Tensor]:
    """Weights, each with its own memory."""
    state = content.get('state_dict')
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ConfigError(f'{source} has no state_dict of tensors: it is not a checkpoint of a training')
    return {
        key.removeprefix('module.'): value.detach().clone(memory_format=torch.contiguous_format)
        for key, value in state.items()
    }


def _encode(content: Mapping[str, Any]) -> bytes:
    # Through memory: a file would carry its own name inside, and its digits would depend on it.
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    data = buffer.getvalue()
    torch.load(io.BytesIO(data), map_location='cpu', weights_only=True)
    return data


def _write(data: bytes, target: Path) -> Path:
    digits = hashlib.sha256(data).hexdigest()[:HASH_DIGITS]
    stem = target.name.removesuffix('.pth')
    final = target.with_name(f'{stem}-{digits}.pth')
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = final.with_name(f'{final.name}.partial')
        partial.write_bytes(data)
        compat.replace_file(partial, final)
    except OSError as error:
        raise ConfigError(f'{final} cannot be written: {error}') from error
    return final
