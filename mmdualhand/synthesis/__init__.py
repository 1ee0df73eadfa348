"""Procedural hands: geometry, look, and writers of the data sets' layouts."""

from __future__ import annotations

from mmdualhand.synthesis.background import BACKGROUNDS
from mmdualhand.synthesis.contact_sheet import contact_sheet
from mmdualhand.synthesis.domains import DOMAINS, SOURCE_LOOK, Domain, get_domain, register_domain
from mmdualhand.synthesis.generate import RHDRequest, generate_rhd, is_complete
from mmdualhand.synthesis.parameters import draw, draw_all
from mmdualhand.synthesis.render import HandLabel, Sample, generator, render, render_index
from mmdualhand.synthesis.scene import SCENE_DEFAULTS, Scene, SceneHand, sample_scene

__all__ = [
    'BACKGROUNDS', 'DOMAINS', 'Domain', 'HandLabel', 'RHDRequest', 'SCENE_DEFAULTS', 'SOURCE_LOOK', 'Sample',
    'Scene', 'SceneHand', 'contact_sheet', 'draw', 'draw_all', 'generate_rhd', 'generator', 'get_domain',
    'is_complete', 'register_domain', 'render', 'render_index', 'sample_scene',
]  # fmt: skip
