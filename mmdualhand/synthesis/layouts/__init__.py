"""Published layouts of data sets, filled with rendered hands."""

from __future__ import annotations

from mmdualhand.synthesis.layouts.base import LAYOUTS, RENDERER_2D, SPLITS, Layout, SetRequest, get_layout
from mmdualhand.synthesis.layouts.freihand import FreiHANDLayout
from mmdualhand.synthesis.layouts.h3d import H3DLayout
from mmdualhand.synthesis.layouts.mvhand import MVHandLayout
from mmdualhand.synthesis.layouts.rhd import RHDLayout
from mmdualhand.synthesis.layouts.stb import STBLayout

__all__ = ['LAYOUTS', 'RENDERER_2D', 'SPLITS', 'Layout', 'SetRequest', 'get_layout']

for _layout in (RHDLayout(), STBLayout(), FreiHANDLayout(), H3DLayout(), MVHandLayout()):
    LAYOUTS[_layout.name] = _layout
