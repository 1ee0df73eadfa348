"""Fitting confidences on a part of the source's test pictures, checking them on the rest and on targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

from mmdualhand.apis.report.predictions import BATCH, LoadedNetwork, load_network
from mmdualhand.codecs import GRID_SIZE, NEAR_SHARE, Pose25D
from mmdualhand.datasets.seeded_subset import shuffled
from mmdualhand.engine.labels.batches import clean_batches
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.evaluation.calibration import Calibration, fit_calibration
from mmdualhand.evaluation.reliability import ReliabilityBins, RiskCoverage, reliability_bins, risk_coverage
from mmdualhand.structures import NUM_JOINTS


@dataclass(frozen=True, eq=False)
class JointScores:
    """Scores and errors of a network on the test pictures of a benchmark.

    Attributes:
        name: Of the benchmark.
        score: (N, 21) in 0..1.
        error: (N, 21) 2D error in sides of the crop; NaN without a label.
        picture: (N,) which picture each hand is in.
        dataset: The benchmark's own description.
        score_name: What the scores are.
    """

    name: str
    score: np.ndarray
    error: np.ndarray
    picture: np.ndarray
    dataset: dict[str, Any]
    score_name: str

    def rows(self, chosen: np.ndarray, name: str) -> JointScores:
        """Some of the hands, (N,) bool, under another name."""
        return JointScores(
            name,
            self.score[chosen],
            self.error[chosen],
            self.picture[chosen],
            self.dataset,
            self.score_name,
        )


@dataclass(frozen=True, eq=False)
class Trust:
    """How far the confidences of one set of joints can be trusted.

    Attributes:
        name: What was measured.
        joints: Labelled joints.
        share_right: Of them, those with an error below the threshold.
        mean_confidence: Equal to ``share_right`` where confidences are right on average.
        bins: The reliability diagram.
        wrong: Risk and coverage, risk being the share of wrong joints.
        distance: Risk and coverage, risk being the mean 2D error in sides of the crop.
    """

    name: str
    joints: int
    share_right: float
    mean_confidence: float
    bins: ReliabilityBins
    wrong: RiskCoverage
    distance: RiskCoverage

    def to_dict(self, points: int = 101) -> dict[str, Any]:
        """Numbers and lists for a JSON file; curves thinned to so many points."""
        kept = np.unique(np.linspace(0, self.joints - 1, min(points, self.joints)).astype(int))
        curves = {'wrong': self.wrong, 'distance': self.distance}
        return {
            'name': self.name,
            'joints': self.joints,
            'share_right': self.share_right,
            'mean_confidence': self.mean_confidence,
            'expected_calibration_error': self.bins.calibration_error,
            'bins': {key: getattr(self.bins, key).tolist() for key in ('confidence', 'share_right', 'count')},
            'coverage': self.wrong.coverage[kept].tolist(),
            'risk': {key: curve.risk[kept].tolist() for key, curve in curves.items()},
            'area': {key: curve.area for key, curve in curves.items()},
            'area_over_random': {key: curve.ratio for key, curve in curves.items()},
        }


@torch.no_grad()
def collect_scores(
    checkpoint: str | Path,
    config: Config,
    name: str,
    *,
    limit: int | None = None,
    score: str | None = None,
) -> JointScores:
    """Predict the test pictures of a benchmark from RGB.

    Args:
        checkpoint: File of a training run.
        config: With a ``test_dataloader``; not changed.
        name: Of the benchmark.
        limit: Use so many hands at most, drawn with a fixed seed.
        score: Which score of a 2.5D network, of :data:`~mmdualhand.codecs.pose25d.SCORES`; that
            of its codec where None.

    Raises:
        MissingFileError: No such checkpoint, or the pictures are not there.
        UnsafeFileError: The checkpoint is damaged.
        ConfigError: Checkpoint and config do not make a test.
        DataError: A prediction is not finite.
    """
    network = load_network(checkpoint, config)
    if score is not None:
        if not isinstance(network.model.codec, Pose25D):
            raise ConfigError(f'{checkpoint} is no 2.5D network: leave the score out')
        network.model.codec.score = score
    count = len(network.dataset)
    rows = np.arange(count) if limit is None else np.sort(shuffled(count, 0)[:limit])
    scores, errors, pictures = [], [], []
    for batch in clean_batches(network.dataset, rows.tolist(), BATCH):
        for sample in network.model.test_step(batch):
            scores.append(np.asarray(sample.pred_instances.keypoint_scores[0], np.float64))
            errors.append(_error(sample))
            pictures.append(str(sample.metainfo.get('img_path', sample.metainfo.get('sample_id'))))
    stacked = np.stack(scores)
    if not np.isfinite(stacked).all():
        raise DataError(f'{checkpoint} predicts values that are not finite on {name}: its training diverged')
    return JointScores(
        name,
        stacked,
        np.stack(errors),
        np.array(pictures),
        dict(network.dataset.metainfo),
        _score_name(network),
    )


def _error(sample: Any) -> np.ndarray:
    """(21,) 2D error in sides of the crop, NaN where there is no label."""
    labels = sample.get('gt_instances')
    if labels is None or 'pose25d' not in labels:
        return np.full(NUM_JOINTS, np.nan)
    away = np.asarray(sample.pred_instances.pose25d[0]) - np.asarray(labels.pose25d[0])
    return np.linalg.norm(away[:, :2].astype(np.float64), axis=-1) / GRID_SIZE


def _score_name(network: LoadedNetwork) -> str:
    codec = network.model.codec
    return f'{type(codec).__name__} {getattr(codec, "score", "confidence")}'


def split_pictures(scores: JointScores, share: float = 0.5, seed: int = 0) -> tuple[JointScores, JointScores]:
    """Cut into two parts that share no picture.

    Both hands of a picture fall into the same part; which, depends on the names of the
    pictures below the data set's folder and on the seed alone.

    Args:
        scores: Of the source's test pictures.
        share: Of the pictures for the first part, in (0, 1).
        seed: Of the draw.

    Returns:
        The part to fit on and the part to test on.

    Raises:
        ConfigError: A part would be empty.
    """
    names, place = np.unique(scores.picture, return_inverse=True)
    count = round(share * len(names))
    if not 0 < count < len(names):
        raise ConfigError(
            f'a share of {share} of {len(names)} pictures leaves nothing to fit on or nothing to test on: '
            'choose another share, or more pictures'
        )
    chosen = np.isin(place, shuffled(len(names), seed)[:count])
    return scores.rows(chosen, f'{scores.name}, fitted on'), scores.rows(~chosen, f'{scores.name}, held out')


def measure_trust(name: str, confidence: np.ndarray, error: np.ndarray, threshold: float) -> Trust:
    """Compare confidences with what happened.

    Args:
        name: What this is.
        confidence: (N, 21) in 0..1.
        error: (N, 21) in sides of the crop; NaN without a label.
        threshold: A joint is right below it.

    Raises:
        DataError: No joint has a label.
    """
    known = np.isfinite(error)
    if not known.any():
        raise DataError(f'{name} has no 2D label, so its confidences cannot be checked')
    confidence, error = np.asarray(confidence, np.float64)[known], error[known]
    right = error < threshold
    return Trust(
        name,
        int(known.sum()),
        float(right.mean()),
        float(confidence.mean()),
        reliability_bins(confidence, right),
        risk_coverage(confidence, ~right),
        risk_coverage(confidence, error),
    )


@dataclass(frozen=True, eq=False)
class CalibrationReport:
    """A calibration and what it is worth.

    Attributes:
        calibration: To be used.
        source: On the held-out pictures of the source.
        targets: On each target.
        controls: Simpler ones, on the held-out pictures of the source.
    """

    calibration: Calibration
    source: Trust
    targets: tuple[Trust, ...]
    controls: tuple[Trust, ...]

    @property
    def rows(self) -> tuple[Trust, ...]:
        """All measurements, the controls after the source."""
        return (self.source, *self.controls, *self.targets)


def calibrate(
    source: JointScores,
    targets: Mapping[str, JointScores],
    *,
    share: float = 0.5,
    seed: int = 0,
    threshold: float = NEAR_SHARE,
) -> CalibrationReport:
    """Fit on a part of the source, test on the rest and on the targets.

    Nothing of a target is fitted. The controls are the score as it is, a calibration with
    one bias for all joints, and one that knows which joint it is and nothing of the picture.

    Args:
        source: Scores of the source's test pictures, on which the network was not trained.
        targets: Name to scores of a target.
        share: Of the source's pictures to fit on.
        seed: Of the cut.
        threshold: A joint is right below this share of the crop's side.

    Raises:
        ConfigError: See :func:`split_pictures`.
        DataError: Nothing to fit, or no labels.
    """
    first, rest = split_pictures(source, share, seed)
    fitted_on = f'{len(np.unique(first.picture))} pictures of {source.name}, seed {seed}'
    facts: dict[str, Any] = dict(threshold=threshold, name=source.score_name, fitted_on=fitted_on)
    full = fit_calibration(first.score, first.error, **facts)
    shared = fit_calibration(first.score, first.error, per_joint=False, **facts)
    blind = fit_calibration(np.full_like(first.score, 0.5), first.error, **facts)
    control = {
        'the score as it is': rest.score,
        'one bias for all joints': shared(rest.score),
        'the joint alone, no picture': blind(np.full_like(rest.score, 0.5)),
    }
    return CalibrationReport(
        full,
        measure_trust(rest.name, full(rest.score), rest.error, threshold),
        tuple(measure_trust(n, full(one.score), one.error, threshold) for n, one in targets.items()),
        tuple(measure_trust(f'- {n}', value, rest.error, threshold) for n, value in control.items()),
    )


def trust_table(report: CalibrationReport) -> str:
    """Markdown table of a report; areas are those under risk and coverage over those of random order."""
    heads = ('', 'joints', 'right', 'mean confidence', 'ECE', 'area, wrong joints', 'area, 2D error')
    lines = [f'| {" | ".join(heads)} |', f'|---|{"---|" * (len(heads) - 1)}']
    for row in report.rows:
        values = (row.share_right, row.mean_confidence, row.bins.calibration_error)
        cells = [f'{value:.3f}' for value in (*values, row.wrong.ratio, row.distance.ratio)]
        lines.append(f'| {row.name} | {row.joints} | {" | ".join(cells)} |')
    return '\n'.join(lines)
