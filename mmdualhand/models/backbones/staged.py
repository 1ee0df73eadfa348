"""What a network must offer to serve as an encoder: the staged protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

STAGE_NAMES = ('stem', 'layer1', 'layer2', 'layer3', 'layer4')


@runtime_checkable
class StagedEncoder(Protocol):
    """An encoder that can be stopped after each stage.

    A backbone of your own needs these three things and nothing else:

    * ``stem(x)``: input ``(B, in_channels, H, W)`` to the first feature map,
      after its activation (features must not be negative, Eq. 1);
    * ``stages``: callables, each from one feature map to the next, likewise
      ending in an activation; pooling belongs to the stage that follows it;
    * ``stage_channels``: channels after the stem and after every stage.
    """

    stage_channels: Sequence[int]

    @property
    def stages(self) -> Sequence[Callable[[Tensor], Tensor]]:
        """The stages after the stem, in order."""

    def stem(self, x: Tensor) -> Tensor:
        """First feature map."""


def check_staged(encoder: Any) -> nn.Module:
    """Return ``encoder`` if it follows :class:`StagedEncoder`.

    Raises:
        TypeError: Something is missing; the message says what.
    """
    name = type(encoder).__name__
    for attribute in ('stem', 'stages', 'stage_channels'):
        if not hasattr(encoder, attribute):
            raise TypeError(
                f'{name} cannot be an encoder: it lacks `{attribute}` of the staged protocol '
                '(mmdualhand.models.backbones.StagedEncoder)'
            )
    if len(encoder.stage_channels) != len(encoder.stages) + 1:
        raise TypeError(
            f'{name}.stage_channels must name the channels after the stem and after each of the '
            f'{len(encoder.stages)} stages, got {tuple(encoder.stage_channels)}'
        )
    return encoder
