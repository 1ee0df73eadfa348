"""Parts of the training run: hooks, optimiser and model wrappers, streams of data."""

from mmdualhand.engine.batch_norm import reestimate_batch_norm
from mmdualhand.engine.bf16_optim_wrapper import BF16OptimWrapper, mixed_precision, precision_on
from mmdualhand.engine.data_parallel import HandDataParallel
from mmdualhand.engine.fixed_epochs import FixedEpochLoader, FixedEpochTrainLoop
from mmdualhand.engine.hooks import (
    CircleRadiiHook,
    EpochSeedHook,
    FiniteLossHook,
    PseudoLabelHook,
    SafeCheckpointHook,
)
from mmdualhand.engine.inverse_decay_lr import InverseDecayLR
from mmdualhand.engine.parts_optim import PartsOptimWrapperConstructor
from mmdualhand.engine.streams import StreamLoader, StreamTrainLoop, stream_configs

__all__ = [
    'BF16OptimWrapper', 'CircleRadiiHook', 'EpochSeedHook', 'FiniteLossHook', 'FixedEpochLoader',
    'FixedEpochTrainLoop', 'HandDataParallel', 'InverseDecayLR', 'PartsOptimWrapperConstructor',
    'PseudoLabelHook', 'SafeCheckpointHook', 'StreamLoader', 'StreamTrainLoop', 'mixed_precision',
    'precision_on', 'reestimate_batch_norm', 'stream_configs',
]  # fmt: skip
