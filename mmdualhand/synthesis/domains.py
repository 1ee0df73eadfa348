"""Synthetic domains: what scenes hold and how they look, as dictionaries of constants, ranges and choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmdualhand.errors import ConfigError
from mmdualhand.synthesis.parameters import check_spec, near_names
from mmdualhand.synthesis.scene import SCENE_DEFAULTS

SOURCE_LOOK: dict[str, Any] = {
    # skin
    'skin_tone': (0.0, 0.9),  # 0 lightest, 1 darkest
    'texture': (0.3, 0.8),  # uneven colour
    'creases': (0.3, 0.8),  # lines of the joints and the palm
    'bump': 0.0,  # grain of the skin
    'nails': (0.3, 0.8),
    'nail_polish': 0.05,  # probability
    # light
    'lights': {1: 0.6, 2: 0.4},
    'key': (0.40, 0.75),  # irradiance of the first lamp
    'ambient': (0.40, 0.65),  # irradiance of the sky
    'light_color': 0.03,  # deviation of the colour of the lamps
    'softness': 0.5,  # light that wraps around skin
    'specular': (0.0, 0.10),
    'specular_power': (8.0, 25.0),
    'occlusion': (0.4, 0.8),  # darker folds
    'shadow': 0.0,  # strength of cast shadows
    # background
    'background': {'flat': 0.30, 'gradient': 0.25, 'noise': 0.15, 'leaves': 0.15, 'room': 0.15},
    'background_blur': (0.0, 1.5),  # px of a picture 320 px wide
    # camera
    'exposure': 1.0,
    'white_balance': 0.0,
    'vignette': 0.0,
    'blur_px': 0.0,
    'motion_px': 0.0,
    'shot_noise': 0.0,
    'read_noise': 0.0,
    'jpeg': 100,  # 100 stores what the sensor saw
}
"""Look of the embedded source: plain light, few disturbances, as in a rendered data set."""


@dataclass(frozen=True)
class Domain:
    """Configuration of a domain.

    Every value is a constant, a ``(low, high)`` range or a ``{choice: weight}``.

    Attributes:
        name: Name, part of the key of all its random numbers.
        scene: What stands before the camera; keys of ``SCENE_DEFAULTS``.
        look: How it looks; keys of ``SOURCE_LOOK``.
    """

    name: str
    scene: Mapping[str, Any] = field(default_factory=lambda: dict(SCENE_DEFAULTS))
    look: Mapping[str, Any] = field(default_factory=lambda: dict(SOURCE_LOOK))


DOMAINS: dict[str, Domain] = {'source': Domain('source')}
"""Domains by name; add to it with :func:`register_domain`."""


def get_domain(name: str) -> Domain:
    """The domain of a name.

    Raises:
        ConfigError: There is none; the message lists near names.
    """
    if name not in DOMAINS:
        raise ConfigError(f'domain {name!r} is not known; {near_names(name, DOMAINS)}')
    return DOMAINS[name]


def register_domain(
    name: str, config: Mapping[str, Mapping[str, Any]], base: str = 'source', *, force: bool = False
) -> Domain:
    """Add a domain.

    Args:
        name: Its name.
        config: ``dict(scene={...}, look={...})``, either may be missing; only
            what differs from ``base``.
        base: Domain that gives every other value.
        force: Replace a domain of the same name.

    Returns:
        The domain.

    Raises:
        ConfigError: Name taken, unknown base, unknown key or a malformed value.
    """
    if name in DOMAINS and not force:
        raise ConfigError(f'domain {name!r} exists already; choose another name or pass force=True')
    origin = get_domain(base)
    unknown = set(config) - {'scene', 'look'}
    if unknown:
        raise ConfigError(f'domain {name!r}: a config holds scene and look, got {sorted(unknown)}')
    scene = _merged(f'domain {name!r}, scene', origin.scene, config.get('scene', {}))
    look = _merged(f'domain {name!r}, look', origin.look, config.get('look', {}))
    DOMAINS[name] = Domain(name, scene, look)
    return DOMAINS[name]


def _merged(where: str, base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for key, spec in changes.items():
        if key not in base:
            raise ConfigError(f'{where}: {key!r} is not a parameter; {near_names(key, base)}')
        check_spec(f'{where}, {key}', spec)
    return {**base, **changes}
