"""Distributed training on GPUs and on CPUs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapperDict
from torch import Tensor, nn

from mmdualhand.registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class HandDataParallel(MMDistributedDataParallel):
    """mmengine's wrapper, which also takes a model that lives on the CPU.

    mmengine always names a GPU, and torch refuses that for a CPU model. Running
    statistics are kept per process (``broadcast_buffers=False``). Where a network has
    several optimisers, its own ``train_step`` takes their steps and averages gradients over
    the processes.

    Args:
        module: The estimator.
        device_ids: Given by mmengine; used only for a model on a GPU.
        broadcast_buffers: See torch.
        kwargs: Further arguments of ``DistributedDataParallel``.
    """

    def __init__(
        self,
        module: nn.Module,
        device_ids: Sequence[int] | None = None,
        broadcast_buffers: bool = False,
        **kwargs: Any,
    ) -> None:
        on_cpu = next(module.parameters()).device.type == 'cpu'
        super().__init__(
            module=module,
            device_ids=None if on_cpu else device_ids,
            broadcast_buffers=broadcast_buffers,
            **kwargs,
        )

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        """One step of training; that of the network itself where there are several optimisers."""
        if isinstance(optim_wrapper, OptimWrapperDict):
            return self.module.train_step(data, optim_wrapper)
        return super().train_step(data, optim_wrapper)
