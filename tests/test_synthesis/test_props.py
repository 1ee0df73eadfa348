"""Held objects and occluders."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.errors import ConfigError
from mmdualhand.synthesis import get_domain, render, sample_scene
from mmdualhand.synthesis.held_objects import HELD_KINDS
from mmdualhand.synthesis.occluders import OCCLUDER_KINDS
from mmdualhand.synthesis.prop_shapes import box, leaf, superquadric, tube
from mmdualhand.synthesis.template import vertex_normals

ONE = {'two_hands_probability': 0.0}


def volume(vertices: np.ndarray, triangles: np.ndarray) -> float:
    corners = vertices[triangles]
    return float((np.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() / 6)


def test_volumes_by_hand() -> None:
    """Positive, so wound outwards: a box 2 x 4 x 6, a cylinder of 12 corners, nearly a ball."""
    assert volume(*box(np.array([1.0, 2.0, 3.0]))) == pytest.approx(48.0)
    section = 6 * np.sin(np.pi / 6) * 3.0**2  # area of a regular 12-gon of radius 3
    path = np.array([[0.0, 0, 0], [0, 0, 5], [0, 0, 10]])
    assert volume(*tube(path, 3.0, 12)) == pytest.approx(section * 10)
    ball = volume(*superquadric(np.full(3, 10.0), 1.0, 1.0, 40))
    assert ball == pytest.approx(4 / 3 * np.pi * 1000, rel=0.02)
    assert volume(*superquadric(np.full(3, 10.0), 0.05, 0.05, 40)) > 1.8 * ball
    assert volume(*leaf(80.0, 30.0, 0.2)) > 0


def test_flat_faces_stay_flat_when_shaded() -> None:
    vertices, triangles = box(np.array([1.0, 2.0, 3.0]))
    assert set(np.abs(vertex_normals(vertices, triangles)).max(1)) == {1.0}


@pytest.mark.parametrize('seed', range(4))
def test_hands_do_not_depend_on_props(seed: int) -> None:
    bare = sample_scene(np.random.default_rng([4, seed]), ONE, 160)
    busy = sample_scene(
        np.random.default_rng([4, seed]), {**ONE, 'occluders': 2, 'object_probability': 1.0}, 160
    )
    np.testing.assert_array_equal(bare.hands[0].vertices, busy.hands[0].vertices)
    np.testing.assert_array_equal(bare.hands[0].uv, busy.hands[0].uv)
    assert bare.props == () and busy.without_props().props == ()
    np.testing.assert_array_equal(bare.rasterise().depth, busy.without_props().rasterise().depth)


@pytest.mark.parametrize(
    ('key', 'kind'),
    [('object_kind', one) for one in HELD_KINDS] + [('occluder_kind', one) for one in OCCLUDER_KINDS],
)
def test_every_kind(key: str, kind: str) -> None:
    """It is in the picture, before the hand or in it, closed, and no part of the person."""
    config = {**ONE, 'left_probability': 0.5, 'min_joints_beside_props': 0, key: kind}
    config |= {'object_probability': 1.0} if key == 'object_kind' else {'occluders': 1}
    shown = 0
    for seed in range(4):
        scene = sample_scene(np.random.default_rng([6, seed]), config, 160)
        (prop,) = scene.props
        assert prop.kind == kind and volume(prop.vertices, prop.triangles) > 0
        assert prop.rest.shape == prop.vertices.shape
        assert (prop.vertices[:, 2] > 60).all()
        sample = render(scene, get_domain('source').look, np.random.default_rng(seed))
        bare = render(scene.without_props(), get_domain('source').look, np.random.default_rng(seed))
        only = (sample.depth > 0) & (sample.mask == 0)
        shown += only.sum()
        assert (sample.mask[only] == 0).all() and not ((sample.mask > 0) & (sample.depth == 0)).any()
        hidden = (bare.mask > 0) & (sample.mask == 0)
        assert (sample.depth[hidden] < bare.depth[hidden]).all()
        same = sample.mask > 0
        np.testing.assert_array_equal(sample.depth[same], bare.depth[same])
        if key == 'occluder_kind':
            assert prop.vertices[:, 2].min() < scene.hands[0].xyz[:, 2].min()
    assert shown > 100


def test_enough_joints_stay_visible() -> None:
    """The labels count what the masks show, so they may differ by a joint or two from the traced ones."""
    settings = {**ONE, 'occluders': 3, 'occluder_width_mm': 20.0, 'min_joints_beside_props': 15}
    left, none = [], 0
    for seed in range(25):
        scene = sample_scene(np.random.default_rng([12, seed]), settings, 160)
        bare = render(scene.without_props(), get_domain('source').look, np.random.default_rng(0))
        sample = render(scene, get_domain('source').look, np.random.default_rng(0))
        left.append(min(sample.hands[0].visible.sum(), 15) - min(bare.hands[0].visible.sum(), 15))
        none += not scene.props
    assert np.mean(left) > -1.0 and np.quantile(left, 0.2) >= -3
    assert none < 10


def test_props_take_the_colour_of_skin_when_asked() -> None:
    scene = sample_scene(
        np.random.default_rng([6, 1]), {**ONE, 'object_probability': 1.0, 'object_kind': 'ball'}, 160
    )
    look = {**get_domain('source').look, 'skin_tone': 0.4, 'background': 'flat'}
    distance = {}
    for match in (0.0, 1.0):
        colors = []
        for seed in range(6):
            sample = render(scene, {**look, 'prop_match': match}, np.random.default_rng(seed))
            prop = (sample.depth > 0) & (sample.mask == 0)
            ratio = sample.rgb[prop].mean(0) / sample.rgb[sample.mask > 1].mean(0)
            colors.append(np.abs(np.log(np.maximum(ratio, 1e-3))).mean())
        distance[match] = np.mean(colors)
    assert distance[1.0] < 0.5 * distance[0.0]


def test_unknown_kinds() -> None:
    with pytest.raises(ConfigError, match="object_kind 'bal' is not known; did you mean 'ball'"):
        sample_scene(np.random.default_rng(0), {**ONE, 'object_probability': 1.0, 'object_kind': 'bal'}, 64)
