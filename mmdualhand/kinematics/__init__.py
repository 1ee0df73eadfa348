"""Bone lengths and joint angles of a hand, and the correction that keeps them possible."""

from __future__ import annotations

from mmdualhand.kinematics.bone_lengths import bone_ratios, measure_bones, stretch_fingers
from mmdualhand.kinematics.correction import BiomechanicalCorrection
from mmdualhand.kinematics.joint_angles import FingerFrames, bend_fingers, finger_frames, measure_angles
from mmdualhand.kinematics.joint_limits import ANGLE_NAMES, LIMITS_DEG, limits_of
from mmdualhand.kinematics.palm import best_rotation
from mmdualhand.kinematics.root_depth import fit_scale, pair_root_depth, solve_root_depth
from mmdualhand.kinematics.template import PALM_JOINTS, SOURCE_TEMPLATE, HandTemplate
from mmdualhand.kinematics.template_fit import fit_template
from mmdualhand.kinematics.weak_perspective import solve_weak_scale

__all__ = [
    'ANGLE_NAMES', 'BiomechanicalCorrection', 'FingerFrames', 'HandTemplate', 'LIMITS_DEG', 'PALM_JOINTS',
    'SOURCE_TEMPLATE', 'bend_fingers', 'best_rotation', 'bone_ratios', 'finger_frames', 'fit_scale',
    'fit_template', 'limits_of', 'measure_angles', 'measure_bones', 'pair_root_depth', 'solve_root_depth',
    'solve_weak_scale', 'stretch_fingers',
]  # fmt: skip
