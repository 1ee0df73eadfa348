"""Small pieces of a page."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mmdualhand.visualization.images import check_image


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        anchor: Name for links to it.
        title: Heading.
        body: HTML.
    """

    anchor: str
    title: str
    body: str


@dataclass(frozen=True)
class Group:
    """Rows of a table that belong together.

    Attributes:
        rows: Cells of each row, HTML; the first is its heading.
        title: Heading of the group, HTML; none where empty.
    """

    rows: Sequence[Sequence[str]]
    title: str = ''


def escape(text: object) -> str:
    """Text as it has to be written in HTML, also in attributes."""
    return html.escape(str(text))


def paragraph(text: str, kind: str = '') -> str:
    """A paragraph of HTML."""
    return f'<p class="{kind}">{text}</p>' if kind else f'<p>{text}</p>'


def note(text: str) -> str:
    """A sentence on what is not there."""
    return paragraph(escape(text), 'note')


def table(header: Sequence[str], groups: Sequence[Group], caption: str, kind: str = '') -> str:
    """A table that scrolls sideways where the screen is narrow, its caption does not.

    Args:
        header: HTML of every column.
        groups: Its rows.
        caption: HTML below it, none where empty.
        kind: Class for the style sheet.
    """
    head = ''.join(f'<th scope="col">{one}</th>' for one in header)
    bodies = ''.join(_body(group, len(header)) for group in groups)
    rows = f'<table class="{kind}"><thead><tr>{head}</tr></thead>{bodies}</table>'
    return figure(f'<div class="scroll" tabindex="0">{rows}</div>', caption)


def _body(group: Group, columns: int) -> str:
    title = f'<tr class="group"><th colspan="{columns}" scope="rowgroup">{group.title}</th></tr>'
    rows = [
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in group.rows
    ]
    return f'<tbody>{title if group.title else ""}{"".join(rows)}</tbody>'


def figure(content: str, caption: str, kind: str = '', *, heading: str = '') -> str:
    """Pictures or a table with a caption below, none where empty, and a heading above; all are HTML."""
    below = f'<figcaption>{caption}</figcaption>' if caption else ''
    return f'<figure class="{kind}">{heading}{content}{below}</figure>'


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """Names and the page's colours (``stage-1``) that stand for them."""
    items = ''.join(
        f'<li><i style="background: var(--{colour})"></i>{escape(n)}</li>' for n, colour in entries
    )
    return f'<ul class="legend">{items}</ul>'


def grid(pieces: Sequence[str], kind: str = 'charts') -> str:
    """Pieces side by side, as many as fit."""
    return f'<div class="{kind}">{"".join(pieces)}</div>'


def image(picture: np.ndarray, description: str, *, coarse: bool = False) -> str:
    """A picture inside the page.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB.
        description: What it shows, for those who cannot see it.
        coarse: A map of few pixels, which are to be seen as they are.
    """
    check_image(picture, 'picture')
    code = cv2.imencode('.png', np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    data = base64.b64encode(code.tobytes()).decode()
    height, width = picture.shape[:2]
    kind = ' class="coarse"' if coarse else ''
    return (
        f'<img{kind} width="{width}" height="{height}" alt="{escape(description)}" '
        f'src="data:image/png;base64,{data}">'
    )


def duration(seconds: float) -> str:
    """``4.2 s``, ``42 s``, ``3 min 05 s``, ``1 h 02 min``."""
    if seconds < 9.95:
        return f'{seconds:.1f} s'
    whole = round(seconds)
    if whole < 60:
        return f'{whole} s'
    if whole < 3600:
        return f'{whole // 60} min {whole % 60:02d} s'
    minutes = round(seconds / 60)
    return f'{minutes // 60} h {minutes % 60:02d} min'
