"""One page of everything that a run of both stages gave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmdualhand import __version__
from mmdualhand.apis.report.charts import error_chart, pck_charts
from mmdualhand.apis.report.content import ReportContent
from mmdualhand.apis.report.guide import next_steps
from mmdualhand.apis.report.html import Section, escape, note, paragraph
from mmdualhand.apis.report.pictures import QUANTILES, ComparedPictures, compare
from mmdualhand.apis.report.results import Results
from mmdualhand.apis.report.style import style_sheet
from mmdualhand.apis.report.tables import across, controls, headline, solved, times
from mmdualhand.apis.report.training_charts import labels, losses
from mmdualhand.compat import replace_file

REPORT = 'report.html'


def write_report(folder: str | Path, content: ReportContent) -> Path:
    """Write ``report.html``: one file, style and pictures in it, readable without a network.

    Both networks of every comparison run on all test pictures of its target; the rest
    is drawn from what is in ``content``. A comparison that cannot be made, or a run
    without logs, becomes a sentence on the page.

    Args:
        folder: Where; made if it is not there.
        content: What to show.

    Returns:
        The file.

    Raises:
        DataError: A measurement lacks a key.
    """
    results = Results(content.cells)
    pictures = [compare(comparison) for comparison in content.comparisons]
    sections = [
        Section('results', 'Results', _results(results)),
        Section('controls', 'Controls', controls(results) if results.cells else _no_cells()),
        Section('pck', '3D PCK curves', pck_charts(results)),
        Section('training', 'Training', losses(content.runs) + labels(content.runs)),
        Section('pictures', 'Before and after fine-tuning', _pictures(pictures)),
        Section('worst', 'Worst cases', _worst(pictures)),
        Section('time', 'Time', times(content.times())),
        Section('next', 'How to go on', next_steps(content)),
    ]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / REPORT
    partial = path.with_name(f'{REPORT}.partial')
    partial.write_text(page(content.title, content.summary, sections), encoding='utf-8')
    replace_file(partial, path)
    return path


def page(title: str, summary: str, sections: Sequence[Section]) -> str:
    """The whole document."""
    links = ''.join(f'<li><a href="#{one.anchor}">{escape(one.title)}</a></li>' for one in sections)
    parts = ''.join(
        f'<section id="{one.anchor}"><h2>{escape(one.title)}</h2>{one.body}</section>\n' for one in sections
    )
    lead = ''.join(paragraph(escape(text), 'lead') for text in summary.split('\n\n') if text.strip())
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="mmdualhand {escape(__version__)}">\n'
        f'<title>{escape(title)}</title>\n<style>\n{style_sheet()}</style>\n</head>\n<body>\n<main>\n'
        f'<header><h1>{escape(title)}</h1>{lead}</header>\n<nav><ul>{links}</ul></nav>\n{parts}'
        '</main>\n</body>\n</html>\n'
    )


def _no_cells() -> str:
    return note('Nothing was measured.')


def _results(results: Results) -> str:
    if not results.cells:
        return _no_cells()
    top = f'<div class="pair">{error_chart(results)}{headline(results)}</div>'
    return top + across(results) + solved(results)


def _pictures(pictures: Sequence[ComparedPictures]) -> str:
    if not pictures:
        return note('No pictures: no comparison of two networks was given.')
    quantiles = ', '.join(f'{100 * quantile:.0f}' for quantile in QUANTILES)
    text = (
        f'Not chosen by hand: the test pictures at the {quantiles} percent quantiles of the error before '
        'fine-tuning, an easy, a middling and a hard one. Everything is shown in the crop that the network '
        'sees; left hands are mirrored there. Both networks get the RGB picture alone.'
    )
    what = (
        '<b>Pose</b>: fingertips and finger order against the true pose. <b>From the side</b>: the predicted '
        'skeleton over the true one in grey, seen from the right of the camera, grid 50 mm; what the picture '
        'plane hides shows here. <b>Mask</b>: green should cover the hand and nothing else. <b>Depth</b>: '
        'near is bright, background dark; fingers in front should be brighter than the palm. '
        '<b>Attention</b>: of the second pass, which sees this predicted depth map; yellow places count '
        'most, one scale for before and after.'
    )
    return paragraph(text) + paragraph(what) + ''.join(one.chosen for one in pictures)


def _worst(pictures: Sequence[ComparedPictures]) -> str:
    shown = ''.join(one.worst for one in pictures)
    if not shown:
        return note('No worst cases: no comparison of two networks was made.')
    text = (
        'The test pictures with the largest error of the fine-tuned network. Look for what they share: '
        'fingers that hide each other, hands cut off by the border, a wrong finger order, or a pose that is '
        'right in the picture and wrong in depth (see the view from the side).'
    )
    return paragraph(text) + shown
