"""Where a network fails: branches that contradict each other, and hands that hide themselves (Figure 7)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mmdualhand.apis.figures.cells import (
    OFF_WORDS,
    branch_pose_cell,
    depth_cell,
    mask_cell,
    pose_cell,
    space_cell,
    truth_cell,
)
from mmdualhand.apis.figures.looks import Look, NamedNetwork, look_twice
from mmdualhand.errors import ConfigError
from mmdualhand.evaluation.failures import modality_distance, outside_mask, self_occlusion
from mmdualhand.structures import REFERENCE_BONE, ROOT_JOINT
from mmdualhand.visualization import first_field
from mmdualhand.visualization.figure_grid import Block, Cell, figure_grid

LEAST_HIDDEN = 0.15
"""Share of hidden joints from which a hand counts as self-occluded: three or more."""


@dataclass(frozen=True, eq=False)
class Failure:
    """A picture and what is wrong with it.

    Attributes:
        look: Of the network.
        disagreement: Mean distance of the poses of the first and the second pass, as a share of the
            crop's side; without a second pass the share of joints outside the predicted mask.
        hidden: Share of the joints that the hand itself hides, of the true pose where there is
            one, else of the predicted one; NaN where neither has 3D.
        error: Mean 2D error as a share of the crop's side; NaN without labels.
    """

    look: Look
    disagreement: float
    hidden: float
    error: float


def measure(look: Look) -> Failure:
    """Measure what :class:`Failure` says."""
    first, second = look.poses.get('rgb'), look.poses.get('fused', look.poses.get('depth'))
    mask = first_field(look.sample, 'pred_fields', 'mask')
    disagreement = math.nan
    if first is not None and second is not None:
        disagreement = modality_distance(first, second)
    elif first is not None and mask is not None:
        disagreement = outside_mask(first, mask)
    share = look.crop_share
    error = math.nan
    if share is not None and np.isfinite(share).any():
        error = float(np.nanmean(share))
    return Failure(look, disagreement, _hidden(look), error)


def _hidden(look: Look) -> float:
    for element in ('gt_instances', 'pred_instances'):
        pose = first_field(look.sample, element, 'keypoints_3d')
        if pose is None or not np.isfinite(pose).all():
            continue
        start, end = pose[list(REFERENCE_BONE)]
        length = float(np.linalg.norm(end - start))
        if length > 0:
            return self_occlusion((pose - pose[ROOT_JOINT]) / length)
    return math.nan


def inconsistent(failures: Sequence[Failure], count: int) -> list[Failure]:
    """Those whose modalities contradict each other most, the worst first."""
    return _largest([one for one in failures if math.isfinite(one.disagreement)], count, _disagreement)


def self_occluded(failures: Sequence[Failure], count: int) -> list[Failure]:
    """Those that hide :data:`LEAST_HIDDEN` of their joints or more, the largest error first.

    Without labels those that hide most come first.
    """
    covered = [one for one in failures if one.hidden >= LEAST_HIDDEN]
    labelled = [one for one in covered if math.isfinite(one.error)]
    return _largest(labelled, count, _error) if labelled else _largest(covered, count, _hidden_share)


def _disagreement(one: Failure) -> float:
    return one.disagreement


def _error(one: Failure) -> float:
    return one.error


def _hidden_share(one: Failure) -> float:
    return one.hidden


def _largest(failures: Sequence[Failure], count: int, key: Callable[[Failure], float]) -> list[Failure]:
    return sorted(failures, key=key, reverse=True)[:count]


def failure_figure(
    one: NamedNetwork, rows: Sequence[int], count: int = 4
) -> tuple[np.ndarray, list[Failure]]:
    """The most inconsistent pictures, and of the others the self-occluded ones with the largest error.

    Args:
        one: The network.
        rows: Samples among which to look.
        count: Pictures of each kind.

    Returns:
        The figure, uint8 RGB, and what was measured of every sample, in the order of ``rows``.

    Raises:
        ConfigError: No sample is of either kind.
    """
    failures = [measure(look) for look in look_twice(one.network, rows)]
    contradicting = inconsistent(failures, count)
    others = [failure for failure in failures if failure not in contradicting]
    kinds = {'Inconsistent modalities': contradicting, 'Self-occlusion': self_occluded(others, count)}
    blocks = []
    for title, shown in kinds.items():
        titles = [_words(failure) for failure in shown]
        for place, (failure, words) in enumerate(zip(shown, titles, strict=True)):
            head = f'{title}.  {words}' if place == 0 else words
            blocks.append(Block([_row(failure.look)], title=head))
    if not blocks:
        raise ConfigError('no prediction has a second pass, a mask or a self-occluded hand: nothing to show')
    columns = ('true pose', 'RGB pass', 'second pass', 'mask', 'depth map', '3D')
    note = (
        f'Of {len(failures)} test pictures of {one.name}. Disagreement: mean distance of the poses of both '
        'passes, or joints outside the mask without a second pass.\nHidden: joints behind a nearer bone of '
        f'the same hand. Errors are of the RGB pass. {OFF_WORDS}'
    )
    return figure_grid(blocks, columns, note=note), failures


def _words(failure: Failure) -> str:
    parts = [failure.look.name]
    if math.isfinite(failure.disagreement):
        parts.append(f'disagreement {100 * failure.disagreement:.1f} %')
    if math.isfinite(failure.hidden):
        parts.append(f'hidden {100 * failure.hidden:.0f} %')
    if math.isfinite(failure.error):
        parts.append(f'2D error {100 * failure.error:.1f} %')
    return ', '.join(parts)


def _row(look: Look) -> list[Cell]:
    second = 'fused' if 'fused' in look.poses else 'depth'
    return [
        truth_cell(look), pose_cell(look, mark=True), branch_pose_cell(look, second), mask_cell(look),
        depth_cell(look), space_cell(look, 'orbit'),
    ]  # fmt: skip
