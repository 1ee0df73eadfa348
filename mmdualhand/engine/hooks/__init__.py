"""Hooks of the training loop."""

from mmdualhand.engine.hooks.checkpoint_hook import SafeCheckpointHook
from mmdualhand.engine.hooks.epoch_seed_hook import EpochSeedHook

__all__ = ['EpochSeedHook', 'SafeCheckpointHook']
