"""A backbone and a dataset for mmdualhand; importing the package registers both."""

from example_hand_plugin.dataset import IndexedHands
from example_hand_plugin.encoder import SeparableEncoder

__all__ = ['IndexedHands', 'SeparableEncoder']
