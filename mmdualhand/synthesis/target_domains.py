"""The four embedded targets: scenes and looks in the manner of STB, FreiHAND, H3D and MVHand.

The source is a plain computer picture; these look photographed. Hands turn and
tilt as those of the source do, so that a domain differs by its look, its poses
and what stands about the hand.
"""

from __future__ import annotations

from typing import Any

from mmdualhand.synthesis.domains import register_domain

_ONE_HAND: dict[str, Any] = {
    'two_hands_probability': 0.0, 'forearm_reach': 2.4, 'wrist_flexion_sd': 10.0,
    'min_joints_beside_props': 15,
}  # fmt: skip

STB: dict[str, dict[str, Any]] = {
    # A left hand counts before a depth camera in an office.
    'scene': {
        **_ONE_HAND,
        'left_probability': 1.0,
        'hand_size': (0.25, 0.42),
        'center_jitter': 0.14,
        'back_probability': 0.35,
        'pose_family': {
            'fist': 1.5, 'point': 1.5, 'two': 1.5, 'three': 1.5, 'four': 1.5, 'open': 2.0, 'spread': 1.0,
            'gun': 0.7, 'thumbs_up': 0.7, 'relaxed': 1.0, 'random': 2.0, 'pinch_index': 0.7,
        },
        'sleeve_probability': 0.6,
        'occluders': {0: 0.85, 1: 0.15},
        'occluder_kind': {'cable': 1.0, 'pen': 1.0, 'bar': 0.6, 'panel': 0.5},
    },
    'look': {
        'skin_tone': (0.1, 0.55),
        'texture': (0.6, 1.2), 'creases': (0.5, 1.0), 'bump': (0.3, 1.0), 'nails': (0.3, 0.8),
        'veins': (0.0, 0.8), 'redness': (0.0, 1.0), 'hair': (0.0, 0.5), 'freckles': (0.0, 0.3),
        'sleeve_match': 0.25, 'prop_match': 0.3,
        'lights': {1: 0.5, 2: 0.4, 3: 0.1},
        'key': (0.7, 1.4), 'ambient': (0.05, 0.2), 'light_color': 0.08,
        'key_warmth': (-0.2, 0.6), 'sky_warmth': (-0.6, 0.1), 'key_angle_deg': (35.0, 80.0),
        'softness': (0.2, 0.7), 'specular': (0.02, 0.10), 'specular_power': (10.0, 40.0),
        'occlusion': (0.8, 1.4), 'shadow': (0.85, 1.0),
        'background': {'room': 0.35, 'shelf': 0.25, 'lab': 0.15, 'wallpaper': 0.1, 'studio': 0.15},
        'background_blur': (0.5, 3.0), 'background_resolution': 0.5,
        'background_saturation': (0.4, 0.9),
        'background_match': (0.2, 0.8), 'background_match_sd': 0.25,
        'skin_clutter': (0.6, 4.4), 'clutter_blur': (1.0, 5.0),
        'plane_probability': 0.45, 'plane_gap_mm': (20.0, 150.0),
        'exposure': (0.7, 1.3), 'white_balance': 0.06, 'flare': (0.0, 0.03), 'vignette': (0.0, 0.3),
        'resolution': (0.40, 0.75), 'blur_px': (0.3, 1.2), 'hand_motion_px': (0.0, 5.0),
        'contrast': (1.2, 1.6), 'saturation': (0.7, 1.1),
        'shot_noise': (0.005, 0.025), 'read_noise': (0.002, 0.010), 'noise_grain_px': (0.5, 1.2),
        'chroma_noise': (0.4, 0.8), 'sharpen': (0.0, 0.8), 'jpeg': (60, 92),
    },
}  # fmt: skip

FREIHAND: dict[str, dict[str, Any]] = {
    # A right hand close by, often with something in it, cut out of a green screen.
    'scene': {
        **_ONE_HAND,
        'left_probability': 0.0,
        'hand_size': (0.55, 0.75),
        'center_jitter': 0.05,
        'pose_family': {
            'grasp': 4.0, 'hook': 1.5, 'claw': 1.5, 'relaxed': 2.0, 'pinch_index': 1.5, 'pinch_middle': 1.0,
            'open': 1.0, 'flat': 1.0, 'fist': 1.0, 'point': 1.0, 'random': 4.0, 'spread': 0.7,
        },
        'sleeve_probability': 0.25,
        'object_probability': 0.4,
        'object_size_mm': (18.0, 60.0),
        'occluders': {0: 0.85, 1: 0.15},
    },
    'look': {
        'skin_tone': (0.0, 0.8),
        'texture': (0.6, 1.3), 'creases': (0.6, 1.2), 'bump': (0.5, 1.5), 'nails': (0.4, 0.9),
        'veins': (0.0, 1.0), 'redness': (0.0, 1.2), 'hair': (0.0, 0.7), 'freckles': (0.0, 0.5),
        'sleeve_match': 0.3, 'prop_match': 0.4,
        'lights': {1: 0.3, 2: 0.4, 3: 0.3},
        'key': (0.6, 1.3), 'ambient': (0.06, 0.25), 'light_color': 0.10,
        'key_warmth': (-0.3, 0.7), 'sky_warmth': (-0.5, 0.3), 'key_angle_deg': (30.0, 80.0),
        'softness': (0.4, 1.0), 'specular': (0.02, 0.12), 'specular_power': (10.0, 50.0),
        'occlusion': (0.7, 1.3), 'shadow': (0.8, 1.0), 'bounce': (0.1, 0.6),
        'background': {
            'green': 0.25, 'leaves': 0.15, 'room': 0.1, 'desk': 0.1, 'wood': 0.1, 'skin': 0.1, 'shelf': 0.07,
            'carpet': 0.07, 'wallpaper': 0.06,
        },
        'background_blur': (0.0, 4.0), 'background_resolution': 1.0,
        'background_saturation': (0.4, 0.9),
        'background_match': (0.0, 0.8), 'background_match_sd': 0.3,
        'skin_clutter': (0.0, 2.4), 'clutter_blur': (1.0, 6.0),
        'halo': (0.0, 1.0),
        'exposure': (0.7, 1.3), 'white_balance': 0.08, 'flare': (0.0, 0.03), 'vignette': (0.0, 0.2),
        'resolution': (0.45, 1.0), 'blur_px': (0.2, 1.0), 'hand_motion_px': (0.0, 3.0),
        'contrast': (1.0, 1.35), 'saturation': (0.7, 1.25),
        'shot_noise': (0.003, 0.02), 'read_noise': (0.001, 0.008), 'noise_grain_px': (0.0, 0.9),
        'chroma_noise': (0.4, 1.0), 'sharpen': (0.0, 1.0), 'jpeg': (50, 92),
    },
}  # fmt: skip

H3D: dict[str, dict[str, Any]] = {
    # A ring of cameras in a studio: hard light from one side, a backdrop of the colours of skin.
    'scene': {
        **_ONE_HAND,
        'left_probability': 0.0,
        'hand_size': (0.35, 0.55),
        'center_jitter': 0.10,
        'sleeve_probability': 0.15,
        'object_probability': 0.2,
        'object_size_mm': (20.0, 60.0),
        'occluders': {0: 0.9, 1: 0.1},
    },
    'look': {
        'skin_tone': (0.0, 0.75),
        'texture': (0.7, 1.4), 'creases': (0.4, 0.9), 'bump': (0.2, 0.8), 'nails': (0.4, 0.9),
        'veins': (0.0, 0.7), 'redness': (0.2, 1.4), 'hair': (0.0, 0.8), 'freckles': (0.0, 0.6),
        'wetness': {0.0: 0.6, 0.3: 0.4},
        'sleeve_match': 0.3, 'prop_match': 0.4,
        'lights': {1: 0.7, 2: 0.3},
        'key': (0.8, 1.5), 'ambient': (0.08, 0.25), 'light_color': 0.05,
        'key_warmth': (-0.2, 0.8), 'sky_warmth': (-0.6, 0.2), 'key_angle_deg': (40.0, 78.0),
        'softness': (0.2, 0.7), 'specular': (0.04, 0.16), 'specular_power': (15.0, 60.0),
        'occlusion': (0.8, 1.4), 'shadow': (0.85, 1.0), 'shadow_blur': (0.5, 1.2),
        'background': {'studio': 0.6, 'skin': 0.1, 'carpet': 0.1, 'wood': 0.2},
        'background_blur': (0.0, 1.0), 'background_resolution': 0.5,
        'background_match': (0.5, 1.0), 'background_match_sd': 0.2,
        'plane_probability': 0.75, 'plane_gap_mm': (5.0, 70.0), 'plane_tilt_deg': (0.0, 40.0),
        'exposure': (0.7, 1.2), 'white_balance': 0.05, 'vignette': (0.0, 0.4),
        'blur_px': (0.0, 0.6), 'contrast': (1.2, 1.7), 'saturation': (0.6, 1.2),
        'shot_noise': (0.003, 0.015), 'read_noise': (0.001, 0.006), 'sharpen': (0.3, 1.2), 'jpeg': (75, 95),
    },
}  # fmt: skip

MVHAND: dict[str, dict[str, Any]] = {
    # Four depth cameras about a hand in a cluttered laboratory with a few hard lamps.
    'scene': {
        **_ONE_HAND,
        'left_probability': 0.0,
        'hand_size': (0.26, 0.42),
        'center_jitter': 0.06,
        'sleeve_probability': 0.5,
        'occluders': {0: 0.85, 1: 0.15},
    },
    'look': {
        'skin_tone': (0.1, 0.7),
        'texture': (0.5, 1.2), 'creases': (0.5, 1.0), 'bump': (0.3, 1.0), 'nails': (0.3, 0.8),
        'veins': (0.0, 0.8), 'redness': (0.0, 1.0), 'hair': (0.0, 0.6), 'freckles': (0.0, 0.3),
        'sleeve_match': 0.35, 'prop_match': 0.4,
        'lights': {1: 0.4, 2: 0.4, 3: 0.2},
        'key': (0.7, 1.4), 'ambient': (0.05, 0.18), 'light_color': 0.12,
        'key_warmth': (-0.4, 0.8), 'sky_warmth': (-0.8, 0.2), 'key_angle_deg': (35.0, 80.0),
        'softness': (0.2, 0.7), 'specular': (0.02, 0.10), 'specular_power': (8.0, 35.0),
        'occlusion': (0.8, 1.4), 'shadow': (0.85, 1.0),
        'background': {'lab': 0.45, 'shelf': 0.15, 'desk': 0.2, 'room': 0.1, 'carpet': 0.1},
        'background_blur': (0.3, 2.5), 'background_resolution': 0.5,
        'background_saturation': (0.4, 0.9),
        'background_match': (0.1, 0.7), 'background_match_sd': 0.3,
        'skin_clutter': (1.6, 6.4), 'clutter_blur': (0.8, 4.0),
        'plane_probability': 0.35, 'plane_gap_mm': (20.0, 200.0), 'plane_tilt_deg': (0.0, 50.0),
        'exposure': (0.7, 1.3), 'white_balance': 0.08, 'flare': (0.0, 0.02), 'vignette': (0.0, 0.4),
        'resolution': (0.5, 0.9), 'blur_px': (0.3, 1.2), 'defocus_px': (0.0, 1.0), 'motion_px': (0.0, 1.5),
        'hand_motion_px': (0.0, 3.0), 'contrast': (1.2, 1.6), 'saturation': (0.5, 1.0),
        'shot_noise': (0.004, 0.018), 'read_noise': (0.002, 0.007), 'noise_grain_px': (0.5, 1.4),
        'chroma_noise': (0.4, 0.9), 'sharpen': (0.0, 0.8), 'jpeg': (45, 88),
    },
}  # fmt: skip

TARGET_DOMAINS: dict[str, dict[str, dict[str, Any]]] = {
    'stb': STB, 'freihand': FREIHAND, 'h3d': H3D, 'mvhand': MVHAND
}  # fmt: skip
"""What differs from the source, by name of the domain."""

for _name, _config in TARGET_DOMAINS.items():
    register_domain(_name, _config)
