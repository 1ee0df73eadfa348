"""Template and posed surface, against the definition of the hand's shape."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.errors import MissingFileError
from mmdualhand.synthesis.forward_kinematics import FOREARM_BONE
from mmdualhand.synthesis.hand_shape import mean_hand_shape, sample_hand_shape
from mmdualhand.synthesis.mesh import pose_mesh
from mmdualhand.synthesis.pose import HandPose, sample_hand_pose
from mmdualhand.synthesis.primitives import Primitives
from mmdualhand.synthesis.scene import sample_scene
from mmdualhand.synthesis.signed_distance import signed_distance, signed_distance_and_gradient, soft_minimum
from mmdualhand.synthesis.sleeve import Sleeve, add_sleeve
from mmdualhand.synthesis.template import TEMPLATE_FILE, load_template, rest_hand, vertex_normals
from tests.fixtures.sphere_trace import back_project, to_hand_frame, trace_depth, traced_distance


def posed(seed: int):
    rng = np.random.default_rng(seed)
    shape = sample_hand_shape(rng)
    return pose_mesh(shape, sample_hand_pose(rng, shape))


def one_capsule(**changes) -> Primitives:
    values = dict(
        start=[[0.0, 0.0, 0.0]], end=[[0.0, 10.0, 0.0]], start_radius=[4.0], end_radius=[2.0],
        normal=[[0.0, 0.0, 1.0]], flatness=[1.0], group=[0], is_base=[False], bone=[0],
    )  # fmt: skip
    return Primitives(**{key: np.array(value) for key, value in {**values, **changes}.items()})


def test_capsule_by_hand() -> None:
    """A cone from radius 4 to 2 along y: beside its middle the radius is 3."""
    points = np.array([[5.0, 5.0, 0.0], [0.0, -7.0, 0.0], [0.0, 13.0, 0.0], [1.0, 5.0, 0.0]])
    np.testing.assert_allclose(signed_distance(points, one_capsule()), [2.0, 3.0, 1.0, -2.0])
    # Squeezed by 4 along z, then all halved: the surface is 4 away in x and 1 in z.
    flat = one_capsule(flatness=[4.0], end_radius=[4.0])
    np.testing.assert_allclose(
        signed_distance(np.array([[4.0, 5, 0], [0, 5.0, 1.0]]), flat), [0, 0], atol=1e-12
    )


def test_soft_minimum_by_hand() -> None:
    value, weight = soft_minimum(np.array([[1.0, 1.0], [0.0, 100.0]]), 2.0)
    np.testing.assert_allclose(value, [1.0 - 2.0 * np.log(2.0), 0.0])
    np.testing.assert_allclose(weight, [[0.5, 0.5], [1.0, 0.0]], atol=1e-12)


def test_signed_distance_equals_the_independent_one() -> None:
    capsules = posed(0).primitives
    points = np.random.default_rng(0).uniform([-60, -60, -60], [60, 190, 40], (400, 3))
    value, gradient = signed_distance_and_gradient(points, capsules)
    np.testing.assert_allclose(value, traced_distance(points, capsules), atol=1e-9)
    np.testing.assert_allclose(value, signed_distance(points, capsules), atol=1e-11)  # compiled loops
    near = np.abs(value) < 15
    error = np.abs(slopes(points[near], capsules) - gradient[near])
    assert np.median(error) < 0.005 and np.percentile(error, 95) < 0.1


def slopes(points: np.ndarray, capsules: Primitives, step: float = 1e-5) -> np.ndarray:
    shifts = step * np.eye(3)
    ahead = [signed_distance(points + shift, capsules) for shift in shifts]
    behind = [signed_distance(points - shift, capsules) for shift in shifts]
    return (np.stack(ahead, 1) - np.stack(behind, 1)) / (2 * step)


def test_gradient_of_plain_capsules_is_exact() -> None:
    """One palm capsule and a finger of a root and a second bone, all of one radius."""
    rng = np.random.default_rng(0)
    capsules = Primitives(
        start=rng.normal(0, 10, (3, 3)), end=rng.normal(0, 10, (3, 3)), start_radius=np.full(3, 4.0),
        end_radius=np.full(3, 4.0), normal=np.tile([0.0, 0.0, 1.0], (3, 1)), flatness=np.ones(3),
        group=np.array([0, 1, 1]), is_base=np.array([False, True, False]), bone=np.zeros(3, int),
    )  # fmt: skip
    points = rng.normal(0, 20, (200, 3))
    gradient = signed_distance_and_gradient(points, capsules)[1]
    np.testing.assert_allclose(slopes(points, capsules), gradient, atol=1e-6)


def test_template_is_closed_and_faces_outwards() -> None:
    template = load_template()
    faces = template.triangles.astype(np.int64)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ahead, back = edges[:, 0] * 100_000 + edges[:, 1], edges[:, 1] * 100_000 + edges[:, 0]
    assert len(np.unique(ahead)) == len(ahead), 'an edge is run through twice in the same direction'
    assert set(ahead.tolist()) == set(back.tolist()), 'the surface has a hole'
    corner = template.vertices[faces]
    volume = np.einsum('ij,ij->i', corner[:, 0], np.cross(corner[:, 1], corner[:, 2])).sum() / 6000.0
    assert 1200 < volume < 2200, 'cm^3 of a hand (about 350) and 42 cm of arm'
    assert TEMPLATE_FILE.stat().st_size < 1_000_000


def test_template_fits_the_code_it_was_built_from() -> None:
    """Fails after a change to capsules or rest pose without a run of tools/build_hand_template.py."""
    template, (_, frames, capsules) = load_template(), rest_hand()
    assert np.abs(signed_distance(template.vertices, capsules)).max() < 1e-4
    gradient = signed_distance_and_gradient(template.vertices, capsules)[1]
    assert ((template.normals * gradient).sum(1) > 0).mean() > 0.999
    np.testing.assert_array_equal(frames.origin, template.frames.origin)
    np.testing.assert_allclose(template.weights.sum(1), 1.0)


def test_parts_lie_at_their_bones() -> None:
    template = load_template()
    assert set(template.triangle_part.tolist()) == set(range(1, 18))
    centre = template.vertices[template.triangles].mean(1)
    for finger in range(5):
        for segment in range(3):
            local = template.bone_local(centre, template.triangle_bone)[
                template.triangle_part == 1 + 3 * finger + segment
            ]
            length = template.shape.segments[finger, segment]
            assert local[:, 1].min() > -14 and local[:, 1].max() < length + 14
            assert abs(np.median(local[:, 1]) - 0.55 * length) < 0.25 * length
    assert np.median(centre[template.triangle_part == 17][:, 1]) < -100


def test_missing_template_is_named(tmp_path) -> None:
    with pytest.raises(MissingFileError, match='build_hand_template'):
        load_template(tmp_path / 'none.npz')


def test_vertex_normals_of_a_tetrahedron() -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [9, 9, 9]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    normals = vertex_normals(points, faces)
    np.testing.assert_allclose(normals[0], -np.ones(3) / np.sqrt(3))
    np.testing.assert_array_equal(normals[4], 0)


def test_rest_pose_gives_the_template_back() -> None:
    template = load_template()
    degrees = [[-10, 12, 0, 0], [8, 6, 12, 6], [8, 0, 12, 6], [8, -4, 12, 6], [8, -9, 12, 6]]
    mesh = pose_mesh(mean_hand_shape(), HandPose(np.radians(degrees), np.zeros(3)))
    difference = np.abs(mesh.vertices - template.vertices)
    assert difference.max() < 0.5 and np.median(difference) < 0.02


@pytest.mark.parametrize('seed', range(6))
def test_vertices_lie_on_their_capsules(seed: int) -> None:
    mesh = posed(seed)
    residual = np.concatenate(
        [
            np.abs(signed_distance(mesh.vertices[p], mesh.primitives.subset(i)))
            for p, i in mesh.template.regions
        ]
    )
    assert np.median(residual) < 1e-3 and np.percentile(residual, 98) < 0.1
    np.testing.assert_array_equal(mesh.vertices, np.rint(mesh.vertices * 1024) / 1024)
    again = posed(seed)
    np.testing.assert_array_equal(mesh.vertices, again.vertices)


def test_longer_arm_and_sleeve() -> None:
    shape, pose = mean_hand_shape(), HandPose(np.zeros((5, 4)), np.zeros(3))
    mesh = pose_mesh(shape, pose, forearm_length=600.0)
    assert 600 < mesh.arm_distance.max() < 640
    vertices, part = add_sleeve(mesh, Sleeve(start_mm=100.0, thickness_mm=3.0))
    arm = mesh.arm_distance[mesh.triangles].mean(1)
    assert set(part[arm > 120]) == {18} and 18 not in part[arm < 90]
    moved = np.linalg.norm(vertices - mesh.vertices, axis=1)
    assert moved[mesh.arm_distance < 80].max() == 0.0
    np.testing.assert_allclose(moved[(mesh.arm_distance > 120)], 3.0, rtol=1e-6)
    hem = np.unique(mesh.triangles[part == 18])
    y = -(vertices @ mesh.frames.rotation[FOREARM_BONE][:, 1])[hem]
    assert y.min() > 99.0, 'the hem is straight'


def hand_pixels(scene):
    result, (_, _, part, number) = scene.rasterise(), scene.surface()
    covered = result.triangle >= 0
    covered[covered] = (number[result.triangle[covered]] == 0) & (part[result.triangle[covered]] < 17)
    row, column = np.nonzero(covered)
    return row, column, result.depth[row, column]


def test_surface_seen_lies_on_the_analytic_one() -> None:
    """Back-projected depth against the distance to all capsules (written twice), 10 scenes."""
    errors = []
    for seed in range(10):
        scene = sample_scene(np.random.default_rng([11, seed]), {}, 320)
        row, column, depth = (values[:: max(1, len(values) // 300)] for values in hand_pixels(scene))
        points = to_hand_frame(back_project(scene, row, column, depth), scene.hands[0])
        errors.append(np.abs(traced_distance(points, scene.hands[0].mesh.primitives)))
    errors = np.concatenate(errors)
    assert np.median(errors) <= 0.035 and errors.mean() <= 0.061 and np.percentile(errors, 99) <= 0.40


@pytest.mark.parametrize('seed', [0, 3])
def test_depth_equals_an_independent_sphere_trace(seed: int) -> None:
    config = {'two_hands_probability': 0.0, 'sleeve_probability': 0.0, 'hand_size': 0.5}
    scene = sample_scene(np.random.default_rng([12, seed]), config, 320)
    row, column, depth = (values[::17] for values in hand_pixels(scene))
    traced = trace_depth(scene, row, column)
    found = np.isfinite(traced)
    assert found.mean() > 0.995
    error = np.abs(depth - traced)[found]
    assert error.mean() <= 0.41 and np.median(error) <= 0.1
    pixels = np.random.default_rng(1).integers(0, 320, (2, 150))
    covered = scene.rasterise().depth[pixels[0], pixels[1]] > 0
    assert (np.isfinite(trace_depth(scene, *pixels)) == covered).mean() >= 0.985
