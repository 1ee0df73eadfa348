"""Charts for a web page: SVG whose colours and letters are those of the page, in light and in dark."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any

CHART_COLOURS: dict[str, str] = {
    'ink': '#1c2128',
    'muted': '#5c6670',
    'rule': '#dde2e7',
    'wash': '#f2f5f8',
    'stage-1': '#8a94a0',
    'stage-2': '#2f74c0',
    'stage-3': '#d9542b',
    'line-1': '#2f74c0',
    'line-2': '#d9542b',
    'line-3': '#2b8a5b',
    'line-4': '#8a4fc0',
    'line-5': '#b07d08',
    'line-6': '#c2387f',
    'line-7': '#4d7d86',
}
"""Name to RGB where the page says nothing of it; a page sets ``--<name>`` in its style sheet."""

_PLACEHOLDERS = {name: f'#f0e1{place:02x}' for place, name in enumerate(CHART_COLOURS)}
_RC: dict[Any, Any] = {
    'svg.fonttype': 'none',
    'font.size': 9.0,
    'axes.titlesize': 10.0,
    'axes.titleweight': 'bold',
    'axes.titlelocation': 'left',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.grid': True,
    'axes.axisbelow': True,
    'axes.edgecolor': _PLACEHOLDERS['rule'],
    'axes.labelcolor': _PLACEHOLDERS['muted'],
    'axes.titlecolor': _PLACEHOLDERS['ink'],
    'text.color': _PLACEHOLDERS['ink'],
    'xtick.color': _PLACEHOLDERS['muted'],
    'ytick.color': _PLACEHOLDERS['muted'],
    'xtick.major.size': 0.0,
    'ytick.major.size': 0.0,
    'xtick.minor.size': 0.0,
    'ytick.minor.size': 0.0,
    'grid.color': _PLACEHOLDERS['rule'],
    'grid.linewidth': 0.7,
    'lines.linewidth': 1.8,
    'lines.solid_capstyle': 'round',
    'lines.solid_joinstyle': 'round',
}


def chart_colour(name: str) -> str:
    """What to give matplotlib for a colour of :data:`CHART_COLOURS`; it becomes the page's own.

    Raises:
        KeyError: No such colour.
    """
    return _PLACEHOLDERS[name]


def svg_figure(draw: Callable[[Any], None], size: tuple[float, float], description: str) -> str:
    """Draw with matplotlib and give an ``<svg>`` element to put into a page.

    It is as wide as its place allows. The same drawing gives the same text.

    Args:
        draw: Draws on the ``matplotlib.figure.Figure`` it is given. Axes should be
            made by ``figure.subplots()``; colours come from :func:`chart_colour`.
        size: Width and height in inches of letters of 9 pt: the aspect, and how
            large letters are beside the chart.
        description: What the chart shows, for those who cannot see it.

    Returns:
        The element, well-formed XML but for the namespace prefix of its links.
    """
    import matplotlib
    from matplotlib.figure import Figure

    buffer = io.BytesIO()
    with matplotlib.rc_context({**_RC, 'svg.hashsalt': description}):
        figure = Figure(figsize=size, layout='constrained')
        draw(figure)
        figure.savefig(buffer, format='svg', transparent=True, metadata={'Date': None, 'Creator': None})
    return _inline(buffer.getvalue().decode(), description)


def _inline(text: str, description: str) -> str:
    """Take away what belongs to a file of its own, and give colours and letters to the page."""
    text = text[text.index('<svg') :]
    text = re.sub(r'\s*<metadata>.*?</metadata>', '', text, flags=re.DOTALL)
    text = re.sub(r'\s*<style type="text/css">.*?</style>', '', text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', '<g', text)  # matplotlib's names, the same in every chart
    text = re.sub(r'font-family: [^;"]*', 'font-family: inherit', text)
    box = re.search(r'viewBox="([^"]*)"', text)
    head = f'<svg role="img" aria-label="{html.escape(description)}" viewBox="{box[1] if box else ""}"'
    links = 'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg"'
    text = re.sub(r'<svg[^>]*>', f'{head} {links}>', text, count=1)
    for name, placeholder in _PLACEHOLDERS.items():
        text = text.replace(placeholder, f'var(--{name}, {CHART_COLOURS[name]})')
    return text.strip()
