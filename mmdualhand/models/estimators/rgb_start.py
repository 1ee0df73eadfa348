"""A network of the RGB branch alone as the start of one with all branches."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

RGB_ENCODER, DEPTH_ENCODER = 'backbone.rgb_encoder.', 'backbone.depth_encoder.'
_STATISTICS = ('running_mean', 'running_var')


def fill_from_rgb(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Complete the state of an RGB network to that of one with depth and fused branches.

    As with ImageNet weights, the depth encoder takes the weights of the RGB encoder,
    its first convolution summed over the colours, which equals feeding the depth map
    to all three. Running statistics go to every branch. What no RGB network has, such
    as projection heads, is left out.

    Args:
        state: State dict of the RGB network.
        own: That of the network to start.

    Returns:
        The state with what could be added; as it came where it has a depth encoder, or
        the network to start has none.
    """
    filled = dict(state)
    if not any(key.startswith(DEPTH_ENCODER) for key in own) or any(
        key.startswith(DEPTH_ENCODER) for key in state
    ):
        return filled
    for key, value in own.items():
        if key in filled:
            continue
        source = state.get(_name_in_rgb_network(key))
        if source is None:
            continue
        if source.ndim == 4 and value.shape[1] == 1 != source.shape[1]:
            source = source.sum(1, keepdim=True)
        filled[key] = source
    return filled


def _name_in_rgb_network(key: str) -> str:
    """What a tensor of the whole network is called in that of the RGB branch."""
    if key.startswith(DEPTH_ENCODER):
        key = RGB_ENCODER + key.removeprefix(DEPTH_ENCODER)
    head, _, last = key.rpartition('.')
    for name in _STATISTICS:
        if last.startswith(f'{name}_'):
            return f'{head}.{name}'
    return key
