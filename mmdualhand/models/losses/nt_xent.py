"""Contrastive loss between two sets of embeddings, Eq. 3."""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from mmdualhand.codecs import full_precision
from mmdualhand.registry import MODELS

REDUCTIONS = ('mean', 'sum')


@MODELS.register_module()
class NTXent(nn.Module):
    r"""Normalised temperature-scaled cross entropy (Eq. 3).

    .. math:: \eta(z, z^+) = -\sum_i \log \frac{e^{\mathrm{sim}(z_i, z_i^+)/\tau}}
        {\sum_{k \neq i} (e^{\mathrm{sim}(z_i, z_k)/\tau} + e^{\mathrm{sim}(z_i, z_k^+)/\tau})}

    As printed, the positive is absent from the denominator, only z is an
    anchor and the batch is summed; ``symmetric=False, include_positive=False,
    reduction='sum'`` is exactly that. SimCLR's loss is ``symmetric=True,
    include_positive=True, reduction='mean'``.

    In distributed training the negatives of all processes are gathered with
    their gradients; the loss then equals that of one process with the whole
    batch, and so do the gradients after averaging over processes.

    Args:
        temperature: tau.
        symmetric: Average with the loss in which z+ are the anchors.
        include_positive: Put the positive into the denominator.
        reduction: ``mean`` or ``sum`` over anchors.
        gather: Gather negatives across processes where there are several.
    """

    def __init__(
        self,
        temperature: float = 0.5,
        symmetric: bool = False,
        include_positive: bool = False,
        reduction: str = 'mean',
        gather: bool = True,
    ) -> None:
        super().__init__()
        if temperature <= 0:
            raise ValueError(f'temperature must be positive, got {temperature}')
        if reduction not in REDUCTIONS:
            raise ValueError(f'reduction must be one of {REDUCTIONS}, got {reduction!r}')
        self.temperature = temperature
        self.symmetric = symmetric
        self.include_positive = include_positive
        self.reduction = reduction
        self.gather = gather

    def forward(self, z: Tensor, z_pos: Tensor) -> Tensor:
        """Loss of one kind of positive pair.

        Args:
            z: ``(B, C)`` embeddings; normalised inside.
            z_pos: ``(B, C)``, row i belongs to row i of ``z``.

        Returns:
            A scalar; 0 for a batch of one, which has no negatives.

        Raises:
            ValueError: Shapes differ or are not ``(B, C)``.
        """
        if z.dim() != 2 or z.shape != z_pos.shape:
            raise ValueError(
                f'z and z_pos must both be (B, C), got {tuple(z.shape)} and {tuple(z_pos.shape)}'
            )
        with full_precision(z.device):
            local = torch.stack([F.normalize(z.float(), dim=1), F.normalize(z_pos.float(), dim=1)], dim=1)
            everyone, offset, world = self._gathered(local)
            if everyone.shape[0] < 2:
                return local.sum() * 0.0
            loss = self._one_sided(local, everyone, offset, anchor=0)
            if self.symmetric:
                loss = 0.5 * (loss + self._one_sided(local, everyone, offset, anchor=1))
        if self.reduction == 'sum':
            return loss.sum() * world
        return loss.mean()

    def _gathered(self, local: Tensor) -> tuple[Tensor, int, int]:
        """Rows of all processes, the place of the local ones, and the number of processes."""
        if not (self.gather and dist.is_available() and dist.is_initialized()):
            return local, 0, 1
        world, rank = dist.get_world_size(), dist.get_rank()
        if world == 1:
            return local, 0, 1
        from torch.distributed.nn.functional import all_gather

        return torch.cat(all_gather(local)), rank * local.shape[0], world

    def _one_sided(self, local: Tensor, everyone: Tensor, offset: int, anchor: int) -> Tensor:
        """Loss of every local anchor; ``anchor`` 0 takes z, 1 takes z+."""
        rows = local.shape[0]
        anchors = local[:, anchor]
        same = anchors @ everyone[:, anchor].T / self.temperature
        other = anchors @ everyone[:, 1 - anchor].T / self.temperature
        index = torch.arange(rows, device=local.device)
        own = F.one_hot(index + offset, everyone.shape[0]).bool()
        positive = (local[:, 0] * local[:, 1]).sum(1) / self.temperature
        lowest = torch.finfo(same.dtype).min
        hidden = other if self.include_positive else other.masked_fill(own, lowest)
        denominator = torch.cat([same.masked_fill(own, lowest), hidden], dim=1).logsumexp(1)
        return denominator - positive
