"""Weights into a network, with a word on what matched."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.logging import print_log
from torch import Tensor, nn

from mmdualhand.errors import ConfigError


def match_weights(
    model: nn.Module,
    checkpoint: Mapping[str, Any],
    *,
    source: str,
    min_match: float = 1.0,
    optional: Sequence[str] = (),
) -> dict[str, Tensor]:
    """Compare a checkpoint with a network before anything is loaded, and say what matches.

    Args:
        model: Network to compare with.
        checkpoint: What a checkpoint file holds, ``state_dict`` in it, or a
            bare state dict.
        source: Name of the file, for messages.
        min_match: Share of the network's tensors that must be in the
            checkpoint with the right shape.
        optional: Beginnings of names that do not count where the checkpoint has none
            of them: parts that a network to start from need not have.

    Returns:
        The tensors that match, by the network's names.

    Raises:
        ConfigError: Fewer match.
    """
    state = checkpoint.get('state_dict', checkpoint)
    state = {key.removeprefix('module.'): value for key, value in state.items()}
    own = _counted(model.state_dict(), state, optional)
    matched = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    missing = [key for key in own if key not in matched]
    unexpected = [key for key in state if key not in own]
    summary = (
        f'{source}: {len(matched)} of {len(own)} tensors of the network matched, {len(missing)} missing '
        f'{missing[:3]}, {len(unexpected)} unexpected {unexpected[:3]}'
    )
    if len(matched) < min_match * len(own):
        raise ConfigError(
            f'{summary}. At least {min_match:.0%} must match: this checkpoint belongs to another network '
            '(compare depth, base_channels and branches).'
        )
    print_log(summary, logger='current', level=logging.INFO)
    return matched


def load_weights(
    model: nn.Module, checkpoint: Mapping[str, Any], *, source: str, min_match: float = 1.0
) -> None:
    """Load a checkpoint's weights, or nothing at all; arguments and errors of :func:`match_weights`."""
    matched = match_weights(model, checkpoint, source=source, min_match=min_match)
    model.load_state_dict(matched, strict=False)


def _counted(
    own: Mapping[str, Tensor], state: Mapping[str, Tensor], optional: Sequence[str]
) -> dict[str, Tensor]:
    """Tensors of the network without the optional ones that the checkpoint knows nothing of."""
    unknown = tuple(start for start in optional if not any(key.startswith(start) for key in state))
    return {key: value for key, value in own.items() if not (unknown and key.startswith(unknown))}
