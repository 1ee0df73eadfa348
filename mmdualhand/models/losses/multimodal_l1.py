"""L1 distances of masks and depth maps, the second and third term of Eq. 2."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mmdualhand.registry import MODELS

REDUCTIONS = ('mean', 'sum')


@MODELS.register_module()
class MultiModalL1(nn.Module):
    """Weighted L1 of predicted masks and depth maps (Eq. 2).

    With :class:`PoseDist` this is the multi-modal loss M.

    Args:
        mask_weight: lambda_m.
        depth_map_weight: lambda_d of Eq. 2.
        reduction: ``mean`` over all pixels, or ``sum`` over the pixels of a
            sample with the mean over the batch.
    """

    def __init__(
        self, mask_weight: float = 100.0, depth_map_weight: float = 50.0, reduction: str = 'mean'
    ) -> None:
        super().__init__()
        if reduction not in REDUCTIONS:
            raise ValueError(f'reduction must be one of {REDUCTIONS}, got {reduction!r}')
        self.weights = {'mask': mask_weight, 'depth_map': depth_map_weight}
        self.reduction = reduction

    @property
    def needed(self) -> list[str]:
        """The maps whose weight is not zero."""
        return [key for key, weight in self.weights.items() if weight]

    def forward(self, pred: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Losses of one branch.

        Args:
            pred: ``mask`` and ``depth_map``, each ``(B, 1, h, w)`` in 0..1.
            target: The same keys and shapes.

        Returns:
            ``loss_mask`` and ``loss_depth_map``, scalars with their weights in;
            a map of weight zero is not needed and has no loss.

        Raises:
            KeyError: A map is missing.
            ValueError: Shapes differ.
        """
        losses = {}
        for key in self.needed:
            weight = self.weights[key]
            for name, maps in (('pred', pred), ('target', target)):
                if key not in maps:
                    raise KeyError(f'{name} lacks {key!r}; it has {sorted(maps)}')
            p, t = pred[key].float(), target[key].float()
            if p.shape != t.shape:
                raise ValueError(f'{key}: pred is {tuple(p.shape)} but target {tuple(t.shape)}')
            error = (p - t).abs()
            value = error.mean() if self.reduction == 'mean' else error.sum() / error.shape[0]
            losses[f'loss_{key}'] = weight * value
        return losses
