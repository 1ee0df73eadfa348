"""Batch normalisation fitted anew to other images, without labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from mmdualhand.errors import ConfigError
from mmdualhand.models import BranchBatchNorm

_NORMS = (BranchBatchNorm, nn.BatchNorm1d, nn.BatchNorm2d)


@torch.no_grad()
def reestimate_batch_norm(model: nn.Module, batches: Iterable[dict[str, Any]]) -> int:
    """Replace running means and variances by those of the given images, and nothing else.

    This is the control row of every adaptation: what the statistics of unlabelled
    target images alone are worth (AdaBN, Li et al. 2017). All weights stay. Every
    batch counts alike (a cumulative average), so use batches of one size. Only the
    RGB path runs; statistics of the depth branch are left as they were.

    Args:
        model: An estimator; changed in place, in eval mode afterwards.
        batches: Collated batches, as a DataLoader gives them.

    Returns:
        The number of batches seen.

    Raises:
        ConfigError: There is no batch, or the model has no batch normalisation.
    """
    norms = [module for module in model.modules() if isinstance(module, _NORMS)]
    if not norms:
        raise ConfigError('the model has no batch normalisation whose statistics could be re-estimated')
    momenta = [norm.momentum for norm in norms]
    model.eval()
    seen = 0
    try:
        for norm in norms:
            norm.train()
        for batch in batches:
            seen += 1
            for norm in norms:
                norm.momentum = 1.0 / seen
            prepare: Any = model.data_preprocessor
            inputs = prepare(batch, training=False)['inputs']
            model(inputs={'rgb': inputs['rgb'], 'views': 1}, mode='tensor')
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.eval()
    if not seen:
        raise ConfigError('no batch was given to re-estimate batch normalisation on')
    return seen
