"""Builds the template surface of the procedural hand, ``mmdualhand/synthesis/data/template.npz``.

Run it after a change to the capsules, the average hand or the rest pose:
``python tools/build_hand_template.py``. The surface is the zero set of the capsules at rest, meshed
with surface nets (Gibson 1998): one vertex in every cell that the surface crosses, one quad at
every crossed edge of the grid.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mmdualhand.synthesis.forward_kinematics import FOREARM_BONE, NUM_BONES
from mmdualhand.synthesis.primitives import Primitives
from mmdualhand.synthesis.signed_distance import (
    capsule_distances,
    signed_distance,
    signed_distance_and_gradient,
)
from mmdualhand.synthesis.template import (
    ARM_REGION,
    PALM_REGION,
    TEMPLATE_FILE,
    WRIST_REGION,
    rest_hand,
    vertex_normals,
)

ARM_CELL_MM = 12.0
ARM_START_MM = -30.0
WRIST_END_MM = -70.0
WEIGHT_FALLOFF_MM = 2.2
NUM_WEIGHTS = 4
# A vertex belongs to the root of a finger if the capsules of its first bone are nearer than this.
ROOT_REACH_MM = 16.0


def grid_axes(capsules: Primitives, cell: float) -> list[np.ndarray]:
    """Coordinates of the grid lines; the forearm, plain as it is, gets long cells."""
    radius = np.maximum(capsules.start_radius, capsules.end_radius)[:, None] + 3 * cell
    low = (np.minimum(capsules.start, capsules.end) - radius).min(0)
    high = (np.maximum(capsules.start, capsules.end) + radius).max(0)
    axes = [np.arange(low[axis], high[axis], cell) for axis in range(3)]
    arm = np.arange(ARM_START_MM, low[1] - 2 * ARM_CELL_MM, -ARM_CELL_MM)[::-1]
    axes[1] = np.concatenate([arm, np.arange(ARM_START_MM + cell, high[1], cell)])
    return axes


def surface_nets(values: np.ndarray, axes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mesh the zero set of a scalar field on a grid of uneven spacing.

    Args:
        values: (X, Y, Z) field, negative inside.
        axes: Coordinates along each axis.

    Returns:
        Vertices (V, 3) and triangles (T, 3), counter-clockwise seen from outside.
    """
    cells = np.array(values.shape) - 1
    total, count = np.zeros((*cells, 3)), np.zeros(cells)
    crossings = []
    for axis in range(3):
        low, high = np.delete(values, -1, axis), np.delete(values, 0, axis)
        where = np.argwhere((low < 0) != (high < 0))
        first, second = low[tuple(where.T)], high[tuple(where.T)]
        point = np.stack([axes[k][where[:, k]] for k in range(3)], 1)
        step = np.diff(axes[axis])[where[:, axis]]
        point[:, axis] += step * first / (first - second)
        crossings.append((axis, where, first < 0))
        others = [k for k in range(3) if k != axis]
        for shift in np.ndindex(2, 2):
            cell = where.copy()
            cell[:, others] -= shift
            inside = ((cell >= 0) & (cell < cells)).all(1)
            np.add.at(total, tuple(cell[inside].T), point[inside])
            np.add.at(count, tuple(cell[inside].T), 1.0)
    used = np.nonzero(count.ravel())[0]
    number = np.full(count.size, -1)
    number[used] = np.arange(len(used))
    vertices = total.reshape(-1, 3)[used] / count.ravel()[used, None]
    return vertices, _quads_to_triangles(crossings, number.reshape(count.shape), vertices)


def _quads_to_triangles(crossings: list, number: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    triangles = []
    for axis, where, starts_inside in crossings:
        second, third = (axis + 1) % 3, (axis + 2) % 3
        corners = []
        for shift in ((0, 0), (1, 0), (1, 1), (0, 1)):
            cell = where.copy()
            cell[:, second] -= shift[0]
            cell[:, third] -= shift[1]
            corners.append(number[tuple(cell.T)])
        quad = np.stack(corners, 1)
        # The corners go round the axis counter-clockwise: outwards where the edge leaves the hand.
        quad[~starts_inside] = quad[~starts_inside][:, ::-1]
        diagonal = [
            np.linalg.norm(vertices[quad[:, a]] - vertices[quad[:, b]], axis=1) for a, b in ((0, 2), (1, 3))
        ]
        quad[diagonal[0] > diagonal[1]] = np.roll(quad[diagonal[0] > diagonal[1]], 1, axis=1)
        triangles += [quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]]
    return np.concatenate(triangles)


def edges_of(triangles: np.ndarray) -> np.ndarray:
    """(E, 2) directed edges."""
    return np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])


def neighbour_mean(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Mean over the neighbours of every vertex, (V, C)."""
    total, count = np.zeros_like(values), np.zeros(len(values))
    np.add.at(total, edges[:, 0], values[edges[:, 1]])
    np.add.at(count, edges[:, 0], 1.0)
    return total / count[:, None]


def relax(vertices: np.ndarray, triangles: np.ndarray, capsules: Primitives) -> np.ndarray:
    """Even out the vertices and put them onto the surface."""
    edges = edges_of(triangles)
    for step in range(6):
        if step < 3:
            vertices = 0.5 * vertices + 0.5 * neighbour_mean(vertices, edges)
        value, gradient = signed_distance_and_gradient(vertices, capsules)
        vertices = vertices - (value / np.maximum((gradient**2).sum(1), 0.2))[:, None] * gradient
    return vertices


def skin_weights(vertices: np.ndarray, triangles: np.ndarray, capsules: Primitives) -> np.ndarray:
    """(V, 17) weights: near capsules count, then smoothed over the surface."""
    distance = capsule_distances(vertices, capsules)[0]
    nearest = np.full((len(vertices), NUM_BONES), 1e3)
    for column, bone in enumerate(capsules.bone):
        nearest[:, bone] = np.minimum(nearest[:, bone], distance[:, column])
    weights = np.exp(-(nearest - nearest.min(1, keepdims=True)) / WEIGHT_FALLOFF_MM)
    weights[weights < 0.02] = 0.0
    weights /= weights.sum(1, keepdims=True)
    edges = edges_of(triangles)
    for _ in range(6):
        weights = 0.5 * weights + 0.5 * neighbour_mean(weights, edges)
    return weights


def regions_of(vertices: np.ndarray, weights: np.ndarray, capsules: Primitives) -> np.ndarray:
    """(V,) region of every vertex, see ``template.py``."""
    distance = capsule_distances(vertices, capsules)[0]
    bone = weights.argmax(1)
    fields, reach = [], []
    for group in range(1, 6):
        index = np.nonzero((capsules.group == 0) | (capsules.group == group))[0]
        fields.append(signed_distance(vertices, capsules.subset(index)))
        reach.append(distance[:, (capsules.group == group) & capsules.is_base].min(1))
    digit = np.argmin(fields, axis=0) + 1
    region = np.where(np.min(reach, axis=0) < ROOT_REACH_MM, digit, PALM_REGION)
    region[(bone == FOREARM_BONE) & (region == PALM_REGION)] = ARM_REGION
    region[(region == ARM_REGION) & (vertices[:, 1] > WRIST_END_MM)] = WRIST_REGION
    palm_distance = distance[:, capsules.group == 0].min(1)
    finger = (bone - 1) // 3 + 1
    outer = (bone >= 1) & (bone < FOREARM_BONE) & ((bone - 1) % 3 > 0) & (palm_distance > 8.0)
    region[outer] = finger[outer] + 5
    return region


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=TEMPLATE_FILE)
    parser.add_argument('--cell', type=float, default=2.4, help='size of the grid cells of the hand, mm')
    arguments = parser.parse_args()
    capsules = rest_hand()[2]
    axes = grid_axes(capsules, arguments.cell)
    points = np.stack(np.meshgrid(*axes, indexing='ij'), -1).reshape(-1, 3)
    values = np.concatenate([signed_distance(part, capsules) for part in np.array_split(points, 40)])
    vertices, triangles = surface_nets(values.reshape([len(axis) for axis in axes]), axes)
    vertices = relax(vertices, triangles, capsules)
    weights = skin_weights(vertices, triangles, capsules)
    region = regions_of(vertices, weights, capsules)
    order = np.argsort(region, kind='stable')
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    top = np.argsort(-weights, axis=1, kind='stable')[:, :NUM_WEIGHTS]
    value = np.take_along_axis(weights, top, 1)
    value = np.rint(255 * value / value.sum(1, keepdims=True))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        arguments.out,
        vertices=vertices[order].astype(np.float32),
        triangles=rank[triangles].astype(np.uint16),
        weight_bone=top[order].astype(np.uint8),
        weight_value=value[order].astype(np.uint8),
        region=region[order].astype(np.uint8),
    )
    residual = np.abs(signed_distance(vertices, capsules)).max()
    facing = (vertex_normals(vertices, triangles) * signed_distance_and_gradient(vertices, capsules)[1]).sum(
        1
    )
    print(f'{arguments.out}: {len(vertices)} vertices, {len(triangles)} triangles, ', end='')
    print(
        f'{arguments.out.stat().st_size / 1e3:.0f} kB, residual {residual:.1e} mm, facing {facing.min():.2f}'
    )
    print('vertices per region:', np.bincount(region).tolist())


if __name__ == '__main__':
    main()
