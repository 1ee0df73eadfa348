"""Persons."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.errors import ConfigError
from mmdualhand.synthesis import get_domain, render, sample_identity, sample_scene
from mmdualhand.synthesis.identity import IDENTITY_LOOK

ONE = {'two_hands_probability': 0.0, 'left_probability': 0.0, 'sleeve_probability': 0.0}


def test_a_person_depends_on_the_arguments_alone() -> None:
    first, again = (sample_identity(3, 'stb', 5, 'train') for _ in range(2))
    np.testing.assert_array_equal(first.shape.segments, again.shape.segments)
    assert first.look == again.look and first.key == again.key
    assert set(first.look) == set(IDENTITY_LOOK) and first.look['nail_polish'] in (0.0, 1.0)


def test_persons_of_two_splits_numbers_seeds_and_domains_differ() -> None:
    keys = [(0, 'stb', 0, 'train'), (0, 'stb', 0, 'test'), (0, 'stb', 1, 'train'), (1, 'stb', 0, 'train'),
            (0, 'mvhand', 0, 'train')]  # fmt: skip
    people = [sample_identity(*key) for key in keys]
    assert len({person.shape.hand_length for person in people}) == len(keys)
    assert len({person.look['skin_tone'] for person in people}) == len(keys)


def test_ranges_of_the_domain_hold() -> None:
    tones = [sample_identity(0, 'stb', number, 'train').look['skin_tone'] for number in range(30)]
    low, high = get_domain('stb').look['skin_tone']
    assert low <= min(tones) and max(tones) <= high and max(tones) - min(tones) > 0.5 * (high - low)
    with pytest.raises(ConfigError, match="did you mean 'stb'"):
        sample_identity(0, 'sbt', 0, 'train')


def test_scenes_of_a_person_have_one_hand_in_many_poses() -> None:
    person = sample_identity(0, 'stb', 2, 'train')
    scenes = [sample_scene(np.random.default_rng([1, k]), ONE, 96, identity=person) for k in range(3)]
    for scene in scenes:
        bones = np.linalg.norm(np.diff(scene.hands[0].xyz[1:].reshape(5, 4, 3), axis=1), axis=-1)
        np.testing.assert_allclose(bones, person.shape.segments, rtol=1e-9)
    assert not np.allclose(scenes[0].hands[0].pose.angles, scenes[1].hands[0].pose.angles)


def test_another_person_takes_the_same_pose() -> None:
    people = [sample_identity(0, 'source', number, 'train') for number in range(2)]
    scenes = [sample_scene(np.random.default_rng([2, 0]), ONE, 96, identity=person) for person in people]
    first, second = (scene.hands[0] for scene in scenes)
    assert first.side == second.side and first.pose.family == second.pose.family
    np.testing.assert_array_equal(first.rotation, second.rotation)


def test_skin_stays_that_of_the_person() -> None:
    """Two looks, other generators: with one person the hand keeps its colour, without it does not."""
    person = sample_identity(0, 'source', 7, 'train')
    scene = sample_scene(np.random.default_rng([1, 0]), ONE, 128, identity=person)
    look = {**get_domain('source').look, 'lights': 0, 'ambient': 0.6, 'light_color': 0.0, 'specular': 0.0}

    def hand_color(seed: int, identity: object) -> np.ndarray:
        sample = render(scene, look, np.random.default_rng(seed), identity=identity)
        return sample.rgb[sample.mask > 1].astype(float).mean(0)

    with_person = np.array([hand_color(seed, person) for seed in range(4)])
    drawn = np.array([hand_color(seed, None) for seed in range(4)])
    assert np.ptp(with_person, axis=0).max() < 0.4 * np.ptp(drawn, axis=0).max()
