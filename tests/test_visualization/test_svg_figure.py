"""Charts that take colours and letters from the page they stand in."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from mmdualhand.visualization import CHART_COLOURS, chart_colour, svg_figure

SVG = '{http://www.w3.org/2000/svg}'


def draw(figure):
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], color=chart_colour('line-1'))
    axis.set_xlabel('error < 5 mm & more')


@pytest.fixture(scope='module')
def text():
    return svg_figure(draw, (3.0, 2.0), 'One "line" & no more')


def test_it_is_an_element_with_the_size_of_its_place(text):
    root = ElementTree.fromstring(text)
    assert root.tag == f'{SVG}svg' and root.get('viewBox') == '0 0 216 144'  # inches of 72 pt
    assert root.get('width') is None and root.get('height') is None
    assert root.get('aria-label') == 'One "line" & no more'
    assert 'error < 5 mm & more' in [one.text for one in root.iter(f'{SVG}text')]


def test_colours_are_those_of_the_page(text):
    assert f'stroke: var(--line-1, {CHART_COLOURS["line-1"]})' in text
    assert '#f0e1' not in text
    colours = set(re.findall(r'(?:fill|stroke): (#\w+)', text))
    assert colours <= {'#000000'}  # what matplotlib draws without a colour, and nothing that is seen
    assert set(re.findall(r'font-family: ([^;"]*)', text)) == {'inherit'}


def test_several_fit_into_one_page(text):
    other = svg_figure(draw, (3.0, 2.0), 'Another one')
    names = [set(re.findall(r' id="([^"]*)"', one)) for one in (text, other)]
    assert names[0] and not names[0] & names[1]
    assert '<style' not in text and '<metadata' not in text
    used = set(re.findall(r'(?:href="|url\()#([^")]*)', text))
    assert used <= names[0]


def test_the_same_drawing_gives_the_same_text(text):
    assert svg_figure(draw, (3.0, 2.0), 'One "line" & no more') == text


def test_unknown_colour():
    with pytest.raises(KeyError):
        chart_colour('mauve')
