"""Tell left from right hands by their 3D joints."""

from __future__ import annotations

import numpy as np

from mmdualhand.structures.checks import check_shape

_THUMB_TIP = 4
_MCPS = (5, 9, 13, 17)
_TIPS = (8, 12, 16, 20)


def chirality_scores(xyz: np.ndarray) -> np.ndarray:
    """Evidence of each hand for being a right hand.

    With ``n = (index MCP - wrist) x (pinky MCP - wrist)`` in a frame of x right,
    y down, z forward, the fingers of a right hand flex towards ``+n`` and its
    thumb lies on that side; of a left hand towards ``-n``.

    Args:
        xyz: (N, 21, 3) joints in canonical order, camera frame, any unit.

    Returns:
        (N, 2) float64: components along ``n`` of the finger bend (MCP to tip,
        mean of four fingers) and of the thumb tip (from the wrist), divided by
        the distance from wrist to index MCP; positive speaks for right, 0 for
        nothing.

    Raises:
        ValueError: Wrong shape or non-finite joints.
    """
    xyz = np.asarray(xyz, dtype=np.float64)
    check_shape(xyz, 'N 21 3', name='xyz')
    if not np.isfinite(xyz).all():
        raise ValueError('xyz must be finite to tell left from right hands')
    index, pinky = xyz[:, 5] - xyz[:, 0], xyz[:, 17] - xyz[:, 0]
    normal = np.cross(index, pinky)
    length = np.linalg.norm(normal, axis=-1) * np.linalg.norm(index, axis=-1)
    bend = (xyz[:, _TIPS] - xyz[:, _MCPS]).mean(axis=1)
    thumb = xyz[:, _THUMB_TIP] - xyz[:, 0]
    along = np.stack([(bend * normal).sum(-1), (thumb * normal).sum(-1)], axis=-1)
    return np.divide(along, length[:, None], out=np.zeros_like(along), where=length[:, None] > 0)


def chirality_vote(xyz: np.ndarray) -> str:
    """Side of a batch of hands of one side, by majority.

    Two votes a hand (finger bend and thumb); a single hand may well vote wrong
    (hyper-extended fingers), so ask about many.

    Args:
        xyz: (N, 21, 3) joints in canonical order, camera frame, any unit; all
            of the same side.

    Returns:
        ``'left'`` or ``'right'``; at a tie of votes the larger summed evidence
        decides.

    Raises:
        ValueError: Wrong shape, no hand, or no evidence at all (all joints on
            one line).
    """
    scores = chirality_scores(xyz)
    votes, evidence = np.sign(scores).sum(), scores.sum()
    decision = votes if votes != 0 else evidence
    if decision == 0:
        raise ValueError(f'the side of xyz cannot be told: {len(scores)} hands give no evidence')
    return 'right' if decision > 0 else 'left'
