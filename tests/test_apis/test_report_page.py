"""The whole page: well-formed, complete, and there whatever is missing."""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser

from mmdualhand.apis.model_zoo import config_path
from mmdualhand.apis.report import ReportContent, RunLog, StepTimes, write_report
from mmdualhand.apis.report.guide import config_name
from tests.fixtures.report_cells import cell, two_targets

VOID = {'meta', 'img', 'br'}


class Page(HTMLParser):
    """Reads a page and insists that every element is closed where it has to be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.classes: set[str] = set()
        self.text = ''
        self.feed(text)
        self.close()
        assert not self.open, f'never closed: {self.open}'

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [values['id']] if 'id' in values else []
        self.links += [values[key] for key in ('href', 'xlink:href') if key in values]
        self.classes |= set((values.get('class') or '').split())
        if tag == 'img':
            assert values['alt'] and values['width'] and values['height']
            self.sources.append(values['src'])

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert tag not in VOID and self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        self.text += data


def read(path) -> Page:
    page = Page(path.read_text(encoding='utf-8'))
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)  # nothing leads away from the page
    assert all(link.startswith('#') for link in page.links)
    assert all(source.startswith('data:image/png;base64,') for source in page.sources)
    return page


def test_a_parser_that_finds_faults():
    for broken in ('<p>', '<p></div></p>', '<img src="x">', '</br>'):
        try:
            Page(broken)
        except (AssertionError, KeyError):
            continue
        raise AssertionError(f'{broken} passed')


def test_everything(tmp_path, stb_comparison):
    run = tmp_path / 'runs' / 'stb'
    (run / '1' / 'vis_data').mkdir(parents=True)
    lines = [{'loss': 2.0 - 0.1 * s, 'loss_pose_rgb': 1.0, 'accepted': 0.5, 'step': s} for s in (1, 2, 3)]
    (run / '1' / 'vis_data' / 'scalars.json').write_text(''.join(json.dumps(one) + '\n' for one in lines))
    content = ReportContent(
        title='A < B & "C"',
        summary='First & foremost.\n\nThen more.',
        times=lambda: StepTimes([('render', 61.0), ('train', 5.0)], 64.0),
        cells=two_targets(),
        runs=[RunLog('STB', run)],
        comparisons=[stb_comparison],
    )
    path = write_report(tmp_path / 'new' / 'folder', content)
    assert path == tmp_path / 'new' / 'folder' / 'report.html'
    assert [one.name for one in path.parent.iterdir()] == ['report.html']
    page = read(path)
    for text in (
        'A < B & "C"', 'First & foremost.', '1 min 01 s', '1 min 04 s', 'Every network on every benchmark',
        'accepted labels',
        'Worst cases', 'Without the true root depth', 'The error falls on', str(stb_comparison.after),
        'mmdualhand test mini/finetune_stb', f'mmdualhand analyze-pseudo-labels {run}',
    ):  # fmt: skip
        assert text in page.text, text
    assert 'nan' not in page.text.lower().split() and 'None' not in page.text
    assert len(page.sources) == 3 * 12 + 3 * 3
    style = path.read_text()[: path.read_text().index('</style>')]
    assert 'prefers-color-scheme: dark' in style and 'max-width: 720px' in style
    named = page.classes - {'before', 'after', 'sample', 'wide', ''}
    assert all(f'.{name}' in style for name in named), named


def test_the_same_content_gives_the_same_file(tmp_path):
    content = ReportContent('Title', 'Words.', cells=two_targets())
    first, second = (write_report(tmp_path / name, content).read_bytes() for name in 'ab')
    assert first == second


def test_whatever_is_missing(tmp_path):
    page = read(write_report(tmp_path, ReportContent('Nothing yet', '')))
    for text in (
        'Nothing was measured',
        'No measurement has',
        'No training run',
        'No pictures',
        'No worst cases',
    ):
        assert text in page.text, text
    cells = [cell('baseline', 'stb', math.nan), cell('mine', 'own_photos', None, curve3d=None)]
    page = read(write_report(tmp_path, ReportContent('Some', 'x', cells=cells, runs=[RunLog('a', tmp_path)])))
    assert 'n/a' in page.text and 'a: ' in page.text and 'Nothing yet' not in page.text


def test_names_of_configs_in_commands(tmp_path):
    assert config_name(str(config_path('mini/finetune_stb'))) == 'mini/finetune_stb'
    assert config_name(str(tmp_path / 'own.py')) == str(tmp_path / 'own.py')
    assert config_name(None) is None
