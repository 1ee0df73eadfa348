"""Synthetic domains: what scenes hold and how they look, as dictionaries of constants, ranges and choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmdualhand.errors import ConfigError, near_names
from mmdualhand.synthesis.parameters import check_spec
from mmdualhand.synthesis.scene import SCENE_DEFAULTS

SOURCE_LOOK: dict[str, Any] = {
    # skin
    'skin_tone': (0.0, 0.9),  # 0 lightest, 1 darkest
    'texture': (0.3, 0.8),  # uneven colour
    'creases': (0.3, 0.8),  # lines of the joints and the palm
    'bump': 0.0,  # grain of the skin
    'nails': (0.3, 0.8),
    'nail_polish': 0.05,  # probability
    'veins': 0.0,  # raised, bluish; 1 clear
    'redness': 0.0,  # of knuckles, finger tips and patches; 1 clear
    'hair': 0.0,  # on forearm and back of the hand; 1 dense
    'freckles': 0.0,  # dark spots; 1 many
    'wetness': 0.0,  # share of the skin with sharp highlights
    # cloth and props
    'sleeve_match': 0.0,  # probability of a sleeve of nearly the colour of the skin
    'prop_match': 0.0,  # the same of each prop
    # light
    'lights': {1: 0.6, 2: 0.4},
    'key': (0.40, 0.75),  # irradiance of the first lamp
    'ambient': (0.40, 0.65),  # irradiance of the sky
    'light_color': 0.03,  # deviation of the colour of the lamps
    'key_warmth': 0.0,  # of the first lamp, -1 blue to 1 orange
    'sky_warmth': 0.0,  # of the ambient light
    'key_angle_deg': 0.0,  # first lamp off the camera's axis, mostly from above; 0: the usual spread
    'softness': 0.5,  # light that wraps around skin
    'specular': (0.0, 0.10),
    'specular_power': (8.0, 25.0),
    'occlusion': (0.4, 0.8),  # darker folds
    'shadow': 0.0,  # strength of cast shadows
    'shadow_blur': 1.0,  # width of their edges, about 3 mm each
    'bounce': 0.0,  # light of the backdrop's colour on the rim of the hand
    # background
    'background': {'flat': 0.30, 'gradient': 0.25, 'noise': 0.15, 'leaves': 0.15, 'room': 0.15},
    'background_blur': (0.0, 1.5),  # px of a picture 320 px wide
    'background_resolution': 1.0,  # painted pixels per pixel of the picture
    'background_match': 0.0,  # mean colour and brightness: 0 as painted, 1 as the skin's
    'background_match_sd': 0.0,  # natural logarithm, each channel
    'background_saturation': 1.0,  # factor on differences of colour
    'background_contrast': 1.0,  # factor on differences of brightness
    'skin_clutter': 0.0,  # number of skin-coloured things: arms, faces, other hands
    'clutter_blur': 4.0,  # px of a picture 320 px wide
    'photo_files': None,  # list of files for the background 'photo'
    # a wall or table behind the hand that catches its shadow
    'plane_probability': 0.0,
    'plane_gap_mm': 40.0,  # behind the hand
    'plane_tilt_deg': 0.0,  # top away from the camera, as of a table
    # edges
    'halo': 0.0,  # rim of a green screen where the hand was cut out
    'hand_motion_px': 0.0,  # motion blur of the hand before a still background
    # camera
    'oversampling': 2,  # colour samples per sensor pixel along each axis, about
    'resolution': 1.0,  # sensor pixels per pixel of the picture
    'exposure': 1.0,
    'white_balance': 0.0,
    'flare': 0.0,  # veil of stray light, share of white
    'vignette': 0.0,
    'blur_px': 0.0,
    'defocus_px': 0.0,  # radius of a disc
    'motion_px': 0.0,
    'contrast': 1.0,
    'saturation': 1.0,
    'shot_noise': 0.0,
    'read_noise': 0.0,
    'noise_grain_px': 0.0,  # correlation of the noise, Gaussian deviation
    'chroma_noise': 1.0,  # share of the noise that differs between the channels
    'sharpen': 0.0,  # strength of unsharp masking, with its halos
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
