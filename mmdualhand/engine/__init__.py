"""Parts of the training run: hooks, optimiser and model wrappers, streams of data."""

from mmdualhand.engine.batch_norm import reestimate_batch_norm
from mmdualhand.engine.bf16_optim_wrapper import BF16OptimWrapper
from mmdualhand.engine.data_parallel import HandDataParallel
from mmdualhand.engine.hooks import EpochSeedHook, FiniteLossHook, PseudoLabelHook, SafeCheckpointHook
from mmdualhand.engine.streams import StreamLoader, StreamTrainLoop, stream_configs

__all__ = [
    'BF16OptimWrapper', 'EpochSeedHook', 'FiniteLossHook', 'HandDataParallel', 'PseudoLabelHook',
    'SafeCheckpointHook', 'StreamLoader', 'StreamTrainLoop', 'reestimate_batch_norm', 'stream_configs',
]  # fmt: skip
