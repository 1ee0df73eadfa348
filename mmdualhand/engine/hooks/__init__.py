"""Hooks of the training loop."""

from mmdualhand.engine.hooks.checkpoint_hook import SafeCheckpointHook
from mmdualhand.engine.hooks.circle_radii_hook import CircleRadiiHook
from mmdualhand.engine.hooks.epoch_seed_hook import EpochSeedHook
from mmdualhand.engine.hooks.finite_loss_hook import FiniteLossHook
from mmdualhand.engine.hooks.pseudo_label_hook import PseudoLabelHook

__all__ = ['CircleRadiiHook', 'EpochSeedHook', 'FiniteLossHook', 'PseudoLabelHook', 'SafeCheckpointHook']
