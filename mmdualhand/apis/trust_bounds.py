"""Whether calibrated confidences can be relied on: two bounds on unseen pictures of the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmdualhand.apis.calibrate import Trust

ECE_BOUND = 0.05
"""The expected calibration error, 15 bins of equal count, must be below it."""
AREA_BOUND = 0.8
"""The area under risk and coverage must not be above this share of that of random order."""


@dataclass(frozen=True)
class TrustBounds:
    """What was measured, beside what is allowed.

    Attributes:
        name: Of the pictures.
        calibration_error: Must be below :data:`ECE_BOUND`.
        area: Under the share of wrong joints and coverage.
        random_area: The same for random order.
    """

    name: str
    calibration_error: float
    area: float
    random_area: float

    @classmethod
    def of(cls, trust: Trust) -> TrustBounds:
        """Take the numbers of a measurement."""
        risk = trust.wrong
        return cls(trust.name, trust.bins.calibration_error, risk.area, float(risk.risk[-1]))

    @property
    def calibrated(self) -> bool:
        """Whether confidences are right on average, bin by bin."""
        return self.calibration_error < ECE_BOUND

    @property
    def ordered(self) -> bool:
        """Whether sure joints are wrong less often; so where no joint is wrong."""
        return self.area <= AREA_BOUND * self.random_area

    @property
    def hold(self) -> bool:
        """Whether both bounds hold."""
        return self.calibrated and self.ordered

    def to_dict(self) -> dict[str, Any]:
        """For a JSON file."""
        return {
            'measured_on': self.name,
            'expected_calibration_error_below': ECE_BOUND,
            'area_over_random_at_most': AREA_BOUND,
            'calibrated': self.calibrated,
            'ordered': self.ordered,
        }

    def __str__(self) -> str:
        """One line for each bound."""
        order = 'no joint is wrong'
        if self.random_area > 0:
            share = self.area / self.random_area
            order = f'area, wrong joints {share:.4f}, must be at most {AREA_BOUND:g} of random order'
        return (
            f'{_word(self.calibrated)} ECE {self.calibration_error:.4f}, must be below {ECE_BOUND:g}\n'
            f'{_word(self.ordered)} {order}'
        )


def _word(holds: bool) -> str:
    return 'PASS' if holds else 'FAIL'
