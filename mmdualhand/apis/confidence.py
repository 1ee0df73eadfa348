"""What the raw score of a joint means: a calibrated probability where there is a calibration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.evaluation.calibration import Calibration


class JointConfidence:
    """Confidence of the joints of a hand, from what the network says of it.

    Args:
        calibration: What turns raw scores into probabilities; None: raw scores are handed through.
    """

    def __init__(self, calibration: Calibration | None = None) -> None:
        self._calibration = calibration

    @classmethod
    def load(cls, file: str | Path | None, carried: Mapping[str, Any] | None) -> JointConfidence:
        """Take the calibration of a file, else that which the network carries, else none.

        Raises:
            MissingFileError: There is no such file.
            ConfigError: It is not a calibration.
        """
        if file is not None:
            return cls(Calibration.load(file))
        return cls(None if carried is None else Calibration.from_dict(carried, 'that of the model'))

    @property
    def calibrated(self) -> bool:
        """Whether confidences are probabilities."""
        return self._calibration is not None

    def __call__(self, row: Mapping[str, np.ndarray]) -> np.ndarray:
        """``(21,)`` in 0..1 from one row of what a runner gives."""
        raw = np.asarray(row['confidence_raw'], np.float64)
        return raw if self._calibration is None else self._calibration(raw)
