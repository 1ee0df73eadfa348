"""Distance of two 2.5D poses, the ell of Eq. 2 and 9."""

from __future__ import annotations

from torch import Tensor, nn

from mmdualhand.registry import MODELS
from mmdualhand.structures import check_shape

NORMS = ('squared', 'l1')
REDUCTIONS = ('mean', 'joint_sum', 'none')


@MODELS.register_module()
class PoseDist(nn.Module):
    r"""Weighted distance of 2.5D poses (Section 4.1; form of SemiHand, ICCV 2021, Eq. 2).

    .. math:: \ell(p, q) = \|uv_p - uv_q\|^2 + \lambda_z (d_p - d_q)^2

    averaged over joints. Coordinates are pixels of the 64-grid and depths in
    reference-bone lengths, so the confidence threshold 1.5 keeps its meaning.

    Args:
        depth_weight: lambda_z, inside the distance.
        norm: ``squared`` (the paper) or ``l1`` (absolute values in place of
            squares, ``depth_weight`` acting through its square root so that
            both forms weigh pixels against depth alike).
        reduction: ``mean`` over joints and batch; ``joint_sum``, the sum over joints
            and the mean over the batch, :math:`\frac{1}{B} \sum_b \sum_j \ell_{bj}`, 21
            times as much; or ``none`` for one value a pose, a mean over its joints. The
            norm of whole poses in SemiHand's Eq. 2 leaves open which one is meant: read
            literally it is the sum, but other losses of its authors (ChenPyLib,
            ``cscPy/Loss/utils.py``) are the mean, and a threshold of 1.5 on sums would
            accept next to nothing.

    Raises:
        ValueError: An unknown ``norm`` or ``reduction``.
    """

    def __init__(self, depth_weight: float = 50.0, norm: str = 'squared', reduction: str = 'mean') -> None:
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f'norm must be one of {NORMS}, got {norm!r}')
        if reduction not in REDUCTIONS:
            raise ValueError(f'reduction must be one of {REDUCTIONS}, got {reduction!r}')
        self.depth_weight = depth_weight
        self.norm = norm
        self.reduction = reduction

    def forward(self, pred: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Distance of two batches of poses.

        Args:
            pred: ``(B, 21, 3)`` 2.5D poses.
            target: ``(B, 21, 3)``.
            weight: ``(B,)``, multiplies each pose, or ``(B, 21)``, each joint,
                before the mean over all joints (or their sum) and all B.

        Returns:
            A scalar, or ``(B,)`` with ``reduction='none'``.

        Raises:
            ValueError: Shapes differ or are not ``(B, J, 3)``.
        """
        check_shape(pred, 'B J 3', name='pred')
        if pred.shape != target.shape:
            raise ValueError(f'pred is {tuple(pred.shape)} but target {tuple(target.shape)}')
        difference = pred.float() - target.float()
        if self.norm == 'squared':
            uv = difference[..., :2].square().sum(-1)
            depth = self.depth_weight * difference[..., 2].square()
        else:
            uv = difference[..., :2].abs().sum(-1)
            depth = self.depth_weight**0.5 * difference[..., 2].abs()
        distance = uv + depth
        if weight is not None:
            distance = distance * (weight if weight.ndim == 2 else weight[:, None])
        distance = distance.sum(-1) if self.reduction == 'joint_sum' else distance.mean(-1)
        return distance if self.reduction == 'none' else distance.mean()
