"""From a palm centre to a wrist: publications disagree, so the rule is an option and has a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdualhand.errors import ConfigError
from mmdualhand.structures import JOINT_NAMES, NUM_JOINTS, check_shape

_NAMED = {'2p-r': (13, 2.0), '2p-m': (9, 2.0), 'palm': (0, 1.0)}
_ABBREVIATIONS = ('cmc', 'mcp', 'pip', 'dip', 'ip')


@dataclass(frozen=True)
class WristRule:
    """wrist = joint + factor (palm - joint).

    Attributes:
        joint: Canonical joint that the line through the palm starts from.
        factor: How far along it the wrist lies; the palm is at 1.
    """

    joint: int
    factor: float

    @classmethod
    def parse(cls, option: str | Sequence[float]) -> WristRule:
        """Read the option of a dataset.

        Args:
            option: ``'2p-r'`` for 2 palm - ring MCP (Zimmermann; Ge),
                ``'2p-m'`` for 2 palm - middle MCP, ``'palm'`` to leave the palm
                where it is, or ``[joint, factor]``.

        Returns:
            The rule.

        Raises:
            ConfigError: No such rule.
        """
        if isinstance(option, str) and option in _NAMED:
            return cls(*_NAMED[option])
        try:
            if isinstance(option, str):
                raise ValueError
            joint, factor = option
            rule = cls(int(joint), float(factor))
            if rule.joint != joint or not (1 <= rule.joint < NUM_JOINTS and 0 < rule.factor < np.inf):
                raise ValueError
        except (TypeError, ValueError):
            raise ConfigError(
                f"wrist must be '2p-r', '2p-m', 'palm' or [joint 1..{NUM_JOINTS - 1}, factor > 0], got "
                f'{option!r}'
            ) from None
        return rule

    @property
    def convention(self) -> str:
        """The rule in words, for metainfo: ``'palm'`` or a formula."""
        if self.factor == 1:
            return 'palm'
        words = JOINT_NAMES[self.joint].split('_')
        name = ' '.join(word.upper() if word in _ABBREVIATIONS else word for word in words)
        if self.factor == 2:
            return f'wrist = 2 palm - {name}'
        return f'wrist = {name} + {self.factor:g} (palm - {name})'

    def apply(self, joints: np.ndarray) -> np.ndarray:
        """Put the wrist in the place of the palm.

        Args:
            joints: (..., 21, 3) canonical order with the palm as joint 0. The
                rule is affine: any frame will do.

        Returns:
            A copy with the wrist as joint 0.

        Raises:
            ValueError: Wrong shape.
        """
        check_shape(joints, '... 21 3', name='joints')
        moved = np.array(joints, np.float64)
        start = joints[..., self.joint, :]
        moved[..., 0, :] = start + self.factor * (joints[..., 0, :] - start)
        return moved
