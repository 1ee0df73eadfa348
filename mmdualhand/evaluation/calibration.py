"""From the score of a joint to the probability that the joint is right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.codecs import NEAR_SHARE
from mmdualhand.compat import replace_file
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.structures import NUM_JOINTS

SCORE_EDGE = 1e-6
"""Scores are clipped to this distance from 0 and 1, whose logit is infinite."""
LEAST_SLOPE = 1e-3
"""Reciprocal of the largest temperature: a score that ranks joints the wrong way round says nothing."""
_FORMAT = 1


@dataclass(frozen=True)
class Calibration:
    """``p = sigmoid(logit(score) / temperature + bias[joint])``.

    The map rises with the score for every joint. One temperature serves all joints; the
    bias says how often a joint is right at the same score, fingertips less often than
    knuckles.

    Attributes:
        temperature: Positive; above 1 where scores are too far from 0.5.
        bias: One value a joint, in logits.
        threshold: A joint is right where its 2D error is below this share of the crop's side.
        score: What was calibrated, for example ``'Pose25D spread'``.
        fitted_on: On what, in words.

    Raises:
        ConfigError: A value has no meaning.
    """

    temperature: float
    bias: tuple[float, ...]
    threshold: float = NEAR_SHARE
    score: str = ''
    fitted_on: str = ''

    def __post_init__(self) -> None:
        try:
            numbers = np.array([self.temperature, self.threshold, *self.bias], np.float64)
        except (TypeError, ValueError) as error:
            raise ConfigError(f'the values of a calibration are numbers: {error}') from error
        if len(numbers) != NUM_JOINTS + 2:
            raise ConfigError(f'a calibration has {NUM_JOINTS} biases, a joint each, got {len(self.bias)}')
        if not np.isfinite(numbers).all() or min(self.temperature, self.threshold) <= 0:
            raise ConfigError(
                'temperature and threshold of a calibration are positive and its biases finite, got '
                f'{self.temperature}, {self.threshold} and {self.bias}'
            )
        object.__setattr__(self, 'bias', tuple(float(value) for value in self.bias))

    def __call__(self, score: np.ndarray) -> np.ndarray:
        """Probability that each joint is right.

        Args:
            score: (..., 21) in 0..1.

        Returns:
            (..., 21) float32 in 0..1; NaN where the score is.

        Raises:
            ValueError: Wrong shape.
        """
        logits = score_logits(score) / self.temperature + np.array(self.bias)
        return _sigmoid(logits).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Numbers, strings and lists, as JSON and the meta data of a checkpoint have them."""
        return {'format': _FORMAT, **asdict(self), 'bias': list(self.bias)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str = 'the calibration') -> Calibration:
        """Read what :meth:`to_dict` wrote.

        Args:
            values: Plain data.
            source: Name of the file, for messages.

        Raises:
            ConfigError: It is something else.
        """
        known = ('temperature', 'bias', 'threshold', 'score', 'fitted_on')
        if not isinstance(values, Mapping) or values.get('format') != _FORMAT:
            raise ConfigError(f'{source} is no calibration of format {_FORMAT}: run mmdualhand calibrate')
        missing = [name for name in known if name not in values]
        if missing:
            raise ConfigError(f'{source} lacks {", ".join(missing)}: make one with mmdualhand calibrate')
        try:
            return cls(**{name: values[name] for name in known})
        except (ConfigError, TypeError) as error:
            raise ConfigError(f'{source}: {error}') from error

    def save(self, path: str | Path) -> None:
        """Write a JSON file, or nothing at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f'{path.name}.partial')
        partial.write_text(json.dumps(self.to_dict(), indent=2) + '\n', encoding='utf-8')
        replace_file(partial, path)

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """Read a JSON file.

        Raises:
            MissingFileError: No such file.
            ConfigError: It holds no calibration.
        """
        if not Path(path).is_file():
            raise MissingFileError(f'the calibration {path} is not there: make it with mmdualhand calibrate')
        try:
            values = json.loads(Path(path).read_text(encoding='utf-8'))
        except ValueError as error:
            raise ConfigError(f'{path} is no JSON file: {error}') from error
        return cls.from_dict(values, source=str(path))


def fit_calibration(
    score: np.ndarray,
    error: np.ndarray,
    *,
    threshold: float = NEAR_SHARE,
    per_joint: bool = True,
    name: str = '',
    fitted_on: str = '',
) -> Calibration:
    """Temperature and biases under which what happened is most probable.

    Logistic regression by Newton's method. A weak prior (normal, variance 1) draws the
    reciprocal temperature to 1 and each bias to the mean of all, so that a joint that was
    always right gets a finite one.

    Args:
        score: (N, 21) in 0..1.
        error: (N, 21) 2D error in sides of the crop; NaN where there is no label.
        threshold: A joint is right below it.
        per_joint: A bias for every joint, or one for all (temperature scaling of Guo et al.,
            ICML 2017, in Platt's form).
        name: Goes into ``score`` of the result.
        fitted_on: Goes into the result.

    Raises:
        DataError: Nothing is labelled, or all joints are right, or all wrong.
        ValueError: Wrong shapes, or a score of a labelled joint is not finite.
    """
    logits, error = score_logits(score).reshape(-1, NUM_JOINTS), np.asarray(error, np.float64)
    if error.shape != logits.shape:
        raise ValueError(f'error must have the shape of score {logits.shape}, got {error.shape}')
    known = np.isfinite(error)
    right = (error[known] < threshold).astype(np.float64)
    if not known.any() or right.min() == right.max():
        alike = 'right' if right.any() else 'wrong'
        what = f'all joints are {alike}' if known.any() else 'no joint has a label'
        raise DataError(f'a calibration cannot be fitted: {what}; use more pictures')
    if not np.isfinite(logits[known]).all():
        raise ValueError('score must be finite at every joint with a label')
    joint = np.broadcast_to(np.arange(NUM_JOINTS), logits.shape)[known]
    slope, bias = _fit(logits[known], joint if per_joint else np.zeros_like(joint), right)
    biases = bias if per_joint else np.repeat(bias[:1], NUM_JOINTS)
    return Calibration(float(1 / slope), tuple(biases.tolist()), threshold, name, fitted_on)


def score_logits(score: np.ndarray) -> np.ndarray:
    """Logits of scores, clipped a little inside of 0..1: (..., 21) -> (..., 21) float64.

    Raises:
        ValueError: Wrong shape.
    """
    score = np.asarray(score, np.float64)
    if not score.ndim or score.shape[-1] != NUM_JOINTS:
        raise ValueError(f'score must have shape (..., {NUM_JOINTS}), got {score.shape}')
    inside = np.clip(score, SCORE_EDGE, 1 - SCORE_EDGE)
    return np.log(inside) - np.log1p(-inside)


def _fit(logits: np.ndarray, group: np.ndarray, right: np.ndarray) -> tuple[float, np.ndarray]:
    """Slope and (21,) biases of M joints; ``group`` (M,) says which bias each has."""
    count = int(group.max()) + 1
    design = np.concatenate([logits[:, None], np.eye(count)[group]], axis=1)
    prior = np.zeros((count + 1, count + 1))
    prior[0, 0] = 1.0
    prior[1:, 1:] = np.eye(count) - 1.0 / count
    start = np.zeros(count + 1)
    start[0] = 1.0
    solution = _newton(design, right, prior, start, free=np.ones(count + 1, bool))
    if solution[0] < LEAST_SLOPE:
        start[0] = LEAST_SLOPE
        solution = _newton(design, right, prior, start, free=np.arange(count + 1) > 0)
    biases = np.full(NUM_JOINTS, solution[1:].mean())
    biases[:count] = solution[1:]
    return float(solution[0]), biases


def _newton(
    design: np.ndarray, right: np.ndarray, prior: np.ndarray, start: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """Smallest negative log likelihood plus prior, over the free parameters; damped steps."""
    centre = np.zeros_like(start)
    centre[0] = 1.0

    def cost(values: np.ndarray) -> float:
        logits = design @ values
        away = values - centre
        return float((np.logaddexp(0.0, logits) - right * logits).sum() + away @ prior @ away / 2)

    values, best = start, cost(start)
    for _ in range(100):
        chance = _sigmoid(design @ values)
        slope = design.T @ (chance - right) + prior @ (values - centre)
        bend = (design * (chance * (1 - chance))[:, None]).T @ design + prior
        step = np.zeros_like(values)
        step[free] = np.linalg.lstsq(bend[np.ix_(free, free)], slope[free], rcond=None)[0]
        size = 1.0
        while cost(values - size * step) > best and size > 1e-8:
            size /= 2
        values = values - size * step
        reached = cost(values)
        if best - reached < 1e-10 * max(abs(best), 1.0):
            break
        best = reached
    return values


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    with np.errstate(invalid='ignore'):  # NaN stays NaN
        return np.exp(-np.logaddexp(0.0, -logits))
