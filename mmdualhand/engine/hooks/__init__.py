"""Hooks of the training loop."""

from mmdualhand.engine.hooks.checkpoint_hook import SafeCheckpointHook
from mmdualhand.engine.hooks.epoch_seed_hook import EpochSeedHook
from mmdualhand.engine.hooks.finite_loss_hook import FiniteLossHook

__all__ = ['EpochSeedHook', 'FiniteLossHook', 'SafeCheckpointHook']
