"""Simple made-up hands: joints with a plausible shape, and a picture of them."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from mmdualhand.structures import BONES, NUM_JOINTS, Camera

BACKGROUND_MM = 1500.0
RADIUS_MM = 9.0

# Hand frame of a right hand, mm: wrist at the origin, fingers along +y, palm towards -z, thumb towards -x.
_BASES = np.array([[-28, 26, -9], [-24, 90, 0], [-3, 94, 2], [17, 88, 1], [33, 78, -3]], dtype=np.float64)
_LENGTHS = np.array([[42, 32, 27], [40, 25, 22], [44, 28, 23], [40, 27, 22], [32, 20, 19]], dtype=np.float64)
_THUMB_OUT = np.array([-0.7, 0.66, -0.27])
_THUMB_ACROSS = np.array([0.62, 0.42, -0.66])
_STEPS = np.linspace(0.0, 1.0, 12)


def random_hand(
    rng: np.random.Generator, side: str = 'right', root_depth: float = 500.0
) -> np.ndarray:
    """Joints of a random bent hand in front of a camera.

    Args:
        rng: Source of pose and orientation.
        side: ``'right'`` or ``'left'``.
        root_depth: Depth of the middle MCP, mm.

    Returns:
        (21, 3) float64 mm, camera frame, canonical order.

    Raises:
        ValueError: Unknown side, or the hand would reach behind the camera.
    """
    if side not in ('left', 'right'):
        raise ValueError(f"side must be 'left' or 'right', got {side!r}")
    if root_depth < 250:
        raise ValueError(f'root_depth must be at least 250 mm, got {root_depth}')
    joints = np.zeros((NUM_JOINTS, 3))
    for finger in range(5):
        bends = np.cumsum(rng.uniform(0.1, 0.7, 3))
        straight, bent = (_THUMB_OUT, _THUMB_ACROSS) if finger == 0 else (np.eye(3)[1], -np.eye(3)[2])
        steps = np.cos(bends)[:, None] * straight + np.sin(bends)[:, None] * bent
        first = 1 + 4 * finger
        joints[first] = _BASES[finger]
        joints[first + 1 : first + 4] = _BASES[finger] + np.cumsum(_LENGTHS[finger][:, None] * steps, axis=0)
    if side == 'left':
        joints[:, 0] *= -1
    angles = rng.uniform((-180.0, -50.0, -50.0), (180.0, 50.0, 50.0))
    turned = Rotation.from_euler('zyx', angles, degrees=True).apply(joints)
    return turned - turned[9] + np.array([*rng.uniform(-20, 20, 2), root_depth])


def draw_hand(
    joints: np.ndarray, camera: np.ndarray, size: tuple[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paint a hand as discs along its bones, far ones first.

    Args:
        joints: (21, 3) mm, camera frame.
        camera: (3, 3) intrinsics.
        size: (w, h) of the picture, px.
        rng: Source of colour and noise.

    Returns:
        Photo (H, W, 3) uint8 RGB, depth (H, W) float32 mm, mask (H, W) uint8 0 or 1.
    """
    width, height = size
    ends = joints[np.array(BONES)]
    points = (ends[:, :1] + _STEPS[:, None] * (ends[:, 1:] - ends[:, :1])).reshape(-1, 3)
    points = points[np.argsort(-points[:, 2])]
    pixels = np.rint(Camera(camera).project(points)).astype(int)
    radii = np.maximum(np.rint(camera[0, 0] * RADIUS_MM / points[:, 2]), 1).astype(int)
    depth = np.full((height, width), BACKGROUND_MM, np.float32)
    photo = rng.uniform(0, 255, (height, width, 3)).astype(np.float32)
    skin = rng.uniform((150.0, 100.0, 80.0), (250.0, 190.0, 160.0))
    for (u, v), radius, z in zip(pixels.tolist(), radii.tolist(), points[:, 2], strict=True):
        cv2.circle(depth, (u, v), radius, (float(z) - RADIUS_MM,), -1)
        cv2.circle(photo, (u, v), radius, (skin * (1.3 - z / 1500)).tolist(), -1)
    mask = (depth < BACKGROUND_MM).astype(np.uint8)
    return np.clip(photo, 0, 255).astype(np.uint8), depth, mask
