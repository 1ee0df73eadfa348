"""Parts of the training run: hooks, optimiser and model wrappers."""

from mmdualhand.engine.bf16_optim_wrapper import BF16OptimWrapper
from mmdualhand.engine.data_parallel import HandDataParallel
from mmdualhand.engine.hooks import EpochSeedHook, FiniteLossHook, SafeCheckpointHook

__all__ = ['BF16OptimWrapper', 'EpochSeedHook', 'FiniteLossHook', 'HandDataParallel', 'SafeCheckpointHook']
