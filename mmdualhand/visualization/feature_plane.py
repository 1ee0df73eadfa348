"""Many-dimensional features seen in a plane: principal components, t-SNE, and the picture of either."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmdualhand.errors import ConfigError, MissingPackageError

BRANCH_COLOURS: dict[str, str] = {'rgb': '#2f74c0', 'fused': '#2b8a5b', 'depth': '#d9542b'}
"""Colour of the features of each branch."""


class Plane(NamedTuple):
    """Points of a plane.

    Attributes:
        points: ``(N, 2)``.
        explained: Share of the variance along each axis; empty where that means nothing.
    """

    points: np.ndarray
    explained: tuple[float, ...] = ()


def principal_plane(features: np.ndarray) -> Plane:
    """The two directions of the largest variance.

    The sign of each direction is such that its component of the largest size is positive.

    Args:
        features: ``(N, D)``, at least three rows and two columns, finite.

    Returns:
        ``(N, 2)`` coordinates about the mean, and the shares of the variance.

    Raises:
        ConfigError: Too few rows or columns, or a number that is not finite.
    """
    values = np.asarray(features, np.float64)
    if values.ndim != 2 or values.shape[0] < 3 or values.shape[1] < 2 or not np.isfinite(values).all():
        raise ConfigError(
            f'a plane needs at least 3 finite features of 2 or more dimensions, got shape {values.shape}'
        )
    centred = values - values.mean(axis=0)
    _, strength, directions = np.linalg.svd(centred, full_matrices=False)
    axes = directions[:2]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1, keepdims=True), axis=1)
    axes = axes * np.where(largest < 0, -1.0, 1.0)
    total = float((strength**2).sum())
    shares = tuple(float(one**2) / total if total > 0 else 0.0 for one in strength[:2])
    return Plane(centred @ axes.T, shares)


def neighbour_plane(features: np.ndarray, perplexity: float = 30.0, seed: int = 0) -> Plane:
    """t-SNE of scikit-learn: neighbours stay neighbours, distances and sizes mean little.

    Args:
        features: ``(N, D)``.
        perplexity: About how many neighbours count; at most a third of the rows is used.
        seed: Of its random start.

    Raises:
        MissingPackageError: scikit-learn is not installed.
        ConfigError: Fewer than six rows.
    """
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise MissingPackageError(
            't-SNE needs scikit-learn: pip install "mmdualhand[pictures]", or use the principal components'
        ) from error
    values = np.asarray(features, np.float64)
    if len(values) < 6:
        raise ConfigError(f't-SNE needs at least 6 features, got {len(values)}')
    used = min(float(perplexity), (len(values) - 1) / 3)
    found = TSNE(n_components=2, perplexity=used, init='pca', random_state=seed).fit_transform(values)
    return Plane(np.asarray(found, np.float64))


def pair_similarity(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Cosine of features of the same sample, and of different ones.

    Args:
        first: ``(N, D)``.
        second: ``(N, D)``, row by row of the same samples.

    Returns:
        Mean cosine of equal rows, and of all pairs of unequal rows (NaN for a single row).
    """
    a, b = (np.asarray(one, np.float64) for one in (first, second))
    a, b = (one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-12) for one in (a, b))
    cosines = a @ b.T
    count = len(cosines)
    same = float(np.trace(cosines)) / count
    other = math.nan if count < 2 else float(cosines.sum() - np.trace(cosines)) / (count * (count - 1))
    return same, other


def draw_planes(
    panels: Mapping[str, Mapping[str, np.ndarray]],
    file: str | Path,
    *,
    title: str = '',
    axis_names: Mapping[str, Sequence[str]] | None = None,
    links: bool = True,
) -> None:
    """Write a picture with a panel for every network.

    Args:
        panels: Title to branch to ``(N, 2)`` points, row by row of the same samples.
        file: The PNG.
        title: Above the panels.
        axis_names: Title to the names of both axes.
        links: Join the points of a sample by a thin line.
    """
    from matplotlib import rc_context
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {'font.size': 9.0, 'axes.spines.top': False, 'axes.spines.right': False}
    with rc_context(style):
        figure = Figure(figsize=(0.4 + 4.2 * len(panels), 4.4), layout='constrained')
        figure.suptitle(title, fontsize=10)
        for axis, (name, branches) in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
        ):
            drawn = [points for points in branches.values() if len(points)]
            if links and len(drawn) > 1:
                lines = np.concatenate([np.stack([drawn[0], other], axis=1) for other in drawn[1:]])
                axis.add_collection(LineCollection(list(lines), colors='#c9d0d7', linewidths=0.4, zorder=1))
            for branch, points in branches.items():
                colour = BRANCH_COLOURS.get(branch, '#5c6670')
                axis.scatter(*points.T, s=11, c=colour, label=branch, alpha=0.85, linewidths=0, zorder=2)
            axis.set_title(name, fontsize=10, fontweight='bold')
            words = (axis_names or {}).get(name, ('', ''))
            axis.set(xlabel=words[0], ylabel=words[1], xticks=[], yticks=[], aspect='equal')
            axis.set_adjustable('datalim')
            axis.legend(frameon=False, loc='best', markerscale=2.0)
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=130, format='png', metadata={'Software': None})
