"""Procedural hands: geometry, look, and writers of the data sets' layouts."""

from __future__ import annotations

from mmdualhand.synthesis.background import BACKGROUNDS
from mmdualhand.synthesis.contact_sheet import contact_sheet
from mmdualhand.synthesis.domains import DOMAINS, SOURCE_LOOK, Domain, get_domain, register_domain
from mmdualhand.synthesis.generate import check_request, generate_set, is_complete
from mmdualhand.synthesis.identity import Identity, sample_identity
from mmdualhand.synthesis.layouts import LAYOUTS, SetRequest
from mmdualhand.synthesis.parameters import draw, draw_all
from mmdualhand.synthesis.photo_background import photo_backgrounds
from mmdualhand.synthesis.posed_scene import Scene, SceneHand
from mmdualhand.synthesis.props import Prop
from mmdualhand.synthesis.render import HandLabel, Sample, generator, render, render_backgrounds, render_index
from mmdualhand.synthesis.scene import SCENE_DEFAULTS, sample_scene
from mmdualhand.synthesis.target_domains import TARGET_DOMAINS

__all__ = [
    'BACKGROUNDS', 'DOMAINS', 'Domain', 'HandLabel', 'Identity', 'LAYOUTS', 'Prop', 'SCENE_DEFAULTS',
    'SOURCE_LOOK', 'Sample', 'Scene', 'SceneHand', 'SetRequest', 'TARGET_DOMAINS', 'check_request',
    'contact_sheet', 'draw', 'draw_all', 'generate_set', 'generator', 'get_domain', 'is_complete',
    'photo_backgrounds',
    'register_domain', 'render', 'render_backgrounds', 'render_index', 'sample_identity', 'sample_scene',
]  # fmt: skip
