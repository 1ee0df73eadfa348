"""Persons: a hand shape and the look of its skin, kept over many pictures."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mmdualhand.synthesis.domains import Domain, get_domain
from mmdualhand.synthesis.hand_shape import HandShape, sample_hand_shape
from mmdualhand.synthesis.parameters import draw

IDENTITY_STREAM = 3
"""Stream of random numbers of a person; see ``render`` for the streams of a picture."""

IDENTITY_LOOK = (
    'skin_tone', 'texture', 'creases', 'nails', 'nail_polish', 'veins', 'redness', 'hair', 'freckles',
)  # fmt: skip
"""Parameters of the look that belong to a person and not to a picture."""


@dataclass(frozen=True, eq=False)
class Identity:
    """A person.

    Attributes:
        domain: Name of the domain that the person was drawn from.
        split: Name of the split.
        number: Number in the split.
        shape: Sizes of the hands.
        look: Drawn values of ``IDENTITY_LOOK``; ``nail_polish`` is 0 or 1.
        key: Seeds the pattern of the skin.
    """

    domain: str
    split: str
    number: int
    shape: HandShape
    look: Mapping[str, float]
    key: tuple[int, ...] = field(repr=False)

    def skin_generator(self) -> np.random.Generator:
        """The generator of mottling, palm lines and clothes; every call starts anew."""
        return np.random.default_rng([*self.key, 1])


def sample_identity(seed: int, domain: str | Domain, number: int, split: str) -> Identity:
    """Draw a person.

    Args:
        seed: Seed of the set.
        domain: Domain whose ranges of sizes and skin hold.
        number: Number of the person in the split.
        split: Name of the split; persons of two splits share nothing.

    Returns:
        The person; it depends on the arguments alone.

    Raises:
        ConfigError: Unknown domain.
    """
    home = get_domain(domain) if isinstance(domain, str) else domain
    key = (seed, zlib.crc32(home.name.encode()), number, IDENTITY_STREAM, zlib.crc32(split.encode()))
    rng = np.random.default_rng(key)
    shape = sample_hand_shape(rng, home.scene)
    look = {name: float(draw(rng, home.look[name])) for name in IDENTITY_LOOK}
    look['nail_polish'] = float(rng.random() < look['nail_polish'])
    return Identity(home.name, split, number, shape, look, key)
