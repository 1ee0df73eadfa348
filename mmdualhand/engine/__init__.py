"""Parts of the training run: hooks and optimiser wrappers."""

from mmdualhand.engine.bf16_optim_wrapper import BF16OptimWrapper
from mmdualhand.engine.hooks import EpochSeedHook, SafeCheckpointHook

__all__ = ['BF16OptimWrapper', 'EpochSeedHook', 'SafeCheckpointHook']
