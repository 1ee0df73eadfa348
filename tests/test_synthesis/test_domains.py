"""Domains: registration, and one scene in two looks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from mmdualhand.errors import ConfigError
from mmdualhand.synthesis import DOMAINS, get_domain, register_domain, render_index


@pytest.fixture(autouse=True)
def clean_registry() -> Iterator[None]:
    before = dict(DOMAINS)
    yield
    DOMAINS.clear()
    DOMAINS.update(before)


def test_one_scene_in_two_looks() -> None:
    register_domain('noisy', {'look': dict(read_noise=0.05, background='leaves', shadow=0.8, bump=1.0)})
    plain = render_index(4, seed=1, image_size=128)
    noisy = render_index(4, seed=1, image_size=128, look='noisy')
    np.testing.assert_array_equal(plain.depth, noisy.depth)
    np.testing.assert_array_equal(plain.mask, noisy.mask)
    np.testing.assert_array_equal(plain.camera, noisy.camera)
    for first, second in zip(plain.hands, noisy.hands, strict=True):
        np.testing.assert_array_equal(first.xyz, second.xyz)
        np.testing.assert_array_equal(first.visible, second.visible)
    assert np.abs(plain.rgb.astype(int) - noisy.rgb.astype(int)).mean() > 3


def test_a_look_of_another_base_does_not_move_the_scene_but_another_domain_name_does() -> None:
    register_domain('twin', {})
    first, twin = (
        render_index(0, seed=1, image_size=96),
        render_index(0, seed=1, image_size=96, domain='twin'),
    )
    assert not np.array_equal(first.depth, twin.depth)


def test_splits_and_seeds_share_nothing() -> None:
    depths = [
        render_index(0, seed=1, image_size=96).depth,
        render_index(0, seed=2, image_size=96).depth,
        render_index(0, seed=1, image_size=96, split='evaluation').depth,
    ]
    assert not np.array_equal(depths[0], depths[1])
    assert not np.array_equal(depths[0], depths[2])


def test_registering_changes_only_what_is_named() -> None:
    domain = register_domain('dim', {'look': {'exposure': (0.3, 0.6)}, 'scene': {'left_probability': 1.0}})
    assert domain.look['exposure'] == (0.3, 0.6)
    assert domain.scene['left_probability'] == 1.0
    source = get_domain('source')
    assert {key for key in source.look if source.look[key] != domain.look[key]} == {'exposure'}
    assert {key for key in source.scene if source.scene[key] != domain.scene[key]} == {'left_probability'}
    assert {hand.side for hand in render_index(0, seed=0, image_size=64, domain='dim').hands} >= {'left'}


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        ({'look': {'sharow': 1.0}}, "'sharow' is not a parameter; did you mean 'shadow'"),
        ({'scene': {'left_probabilty': 1.0}}, "did you mean 'left_probability'"),
        ({'looks': {}}, 'a config holds scene and look'),
        ({'look': {'key': (2.0, 1.0)}}, 'look, key: a range is written'),
    ],
)
def test_bad_configs(config: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        register_domain('bad', config)
    assert 'bad' not in DOMAINS


def test_names() -> None:
    with pytest.raises(ConfigError, match='exists already'):
        register_domain('source', {})
    with pytest.raises(ConfigError, match="did you mean 'source'"):
        get_domain('sourse')
