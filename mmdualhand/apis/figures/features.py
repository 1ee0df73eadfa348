"""Features of the contrastive loss in a plane, and how near those of one picture are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmdualhand.apis.figures.looks import BATCH, NamedNetwork, second_pass_features
from mmdualhand.apis.report.predictions import LoadedNetwork
from mmdualhand.engine.labels.batches import clean_batches
from mmdualhand.errors import ConfigError
from mmdualhand.models.branch_norm import batch_layout, view_segments
from mmdualhand.visualization.feature_plane import (
    Plane,
    draw_planes,
    neighbour_plane,
    pair_similarity,
    principal_plane,
)

METHODS = ('pca', 'tsne')


@torch.no_grad()
def collect_features(network: LoadedNetwork, rows: Sequence[int]) -> tuple[dict[str, np.ndarray], str]:
    """Features of all branches, of unit length.

    The depth encoder sees the predicted depth map, as in stage 2.

    Args:
        network: In eval mode.
        rows: Sample numbers.

    Returns:
        Branch to ``(N, D)``, and what they are: ``'embedding'`` behind the projection head, or
        ``'latent'``, pooled before it, where a branch of the network has none.
    """
    model = network.model
    projected = set(model.branches) <= _projected(model)
    parts: dict[str, list[np.ndarray]] = {}
    for batch in clean_batches(network.dataset, rows, BATCH):
        rgb = model.data_preprocessor(batch, training=False)['inputs']['rgb']
        found = second_pass_features(model, rgb)
        final = model.backbone(rgb) if found is None else found.final
        for branch, features in final.items():
            z = _project(model, branch, features) if projected else F.normalize(features.mean((2, 3)), dim=1)
            parts.setdefault(branch, []).append(z.float().cpu().numpy())
    kind = 'embedding' if projected else 'latent'
    return {branch: np.concatenate(some) for branch, some in parts.items()}, kind


def _projected(model: Any) -> set[str]:
    heads = getattr(model, 'projectors', None)
    return {branch for head in (heads.values() if heads is not None else ()) for branch in head.branches}


def _project(model: Any, branch: str, features: Tensor) -> Tensor:
    for head in model.projectors.values():
        if branch in head.branches:
            with batch_layout(view_segments(branch, features.shape[0], 1)):
                return head(features)
    raise ConfigError(f'the network has no projection head for the branch {branch!r}')


def feature_figure(
    networks: Sequence[NamedNetwork],
    rows: Sequence[int],
    file: str | Path,
    *,
    method: str = 'pca',
    perplexity: float = 30.0,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Write a picture with a panel for every network, a point for every branch of a test picture.

    Args:
        networks: At least one.
        rows: Sample numbers, three or more.
        file: The PNG.
        method: ``'pca'``: the plane of largest variance; ``'tsne'``: neighbours stay
            neighbours, which needs scikit-learn.
        perplexity: Of t-SNE.
        seed: Of t-SNE.

    Returns:
        For every network ``name``, ``features`` (``'embedding'`` or ``'latent'``), ``explained``
        and, for each pair of branches, the mean cosine of the same and of different pictures.

    Raises:
        ConfigError: Unknown method, or too few pictures.
        MissingPackageError: scikit-learn is not installed.
    """
    if method not in METHODS:
        raise ConfigError(f'--method must be one of {", ".join(METHODS)}, got {method!r}')
    panels: dict[str, dict[str, np.ndarray]] = {}
    names: dict[str, tuple[str, str]] = {}
    found = []
    for one in networks:
        features, kind = collect_features(one.network, rows)
        together = np.concatenate(list(features.values()))
        plane = principal_plane(together) if method == 'pca' else neighbour_plane(together, perplexity, seed)
        title = f'{one.name} ({kind})'
        panels[title] = dict(zip(features, np.split(plane.points, len(features)), strict=True))
        names[title] = _axis_names(plane)
        found.append(
            dict(name=one.name, features=kind, explained=list(plane.explained), cosines=_cosines(features))
        )
    words = 'principal components' if method == 'pca' else f't-SNE, perplexity {perplexity:g}, seed {seed}'
    draw_planes(panels, file, title=f'{len(rows)} test pictures, {words}', axis_names=names)
    return found


def _axis_names(plane: Plane) -> tuple[str, str]:
    if not plane.explained:
        return '', ''
    first, second = (f'{100 * one:.0f} % of the variance' for one in plane.explained)
    return first, second


def _cosines(features: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    branches = list(features)
    pairs = [(a, b) for place, a in enumerate(branches) for b in branches[place + 1 :]]
    measured = {f'{a}-{b}': pair_similarity(features[a], features[b]) for a, b in pairs}
    return {pair: dict(same=same, other=other) for pair, (same, other) in measured.items()}
