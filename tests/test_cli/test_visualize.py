"""The command: figures in files, numbers beside them, mistakes in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from mmdualhand.cli.main import USER_ERROR_STATUS, run
from mmdualhand.cli.visualize import PICKS
from tests.fixtures.report_networks import write_checkpoint


@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp('visualize')
    for place, name in enumerate(('old', 'new')):
        (folder / name).mkdir()
        write_checkpoint(folder / name / 'last.pth', place)
    return [str(folder / name / 'last.pth') for name in ('old', 'new')]


@pytest.fixture
def options(embedded_sets, tmp_path) -> list[str]:
    root = f'test_dataloader.dataset.data_root={embedded_sets / "STB"}'
    loader = ['test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False']
    return ['--out', str(tmp_path / 'new' / 'figure.png'), '--cfg-options', root, *loader]


def figure(tmp_path: Path) -> tuple[int, int]:
    height, width = cv2.imread(str(tmp_path / 'new' / 'figure.png')).shape[:2]
    return height, width


@pytest.mark.parametrize(
    ('name', 'more', 'columns'),
    [
        ('attention', ['--count', '1', '--columns', 'picture', 'depth-attention', '--stage', 'layer1'], 2),
        ('compare', ['--samples', '3', '--view', 'none', '--names', 'a', 'b'], 4),
    ],
)
def test_figures_of_pictures(name, more, columns, checkpoints, options, tmp_path, capsys) -> None:
    assert run('visualize', [name, 'mini/finetune_stb', *checkpoints, *more, *options]) == 0
    assert columns * 224 < figure(tmp_path)[1] < (columns + 1) * 224
    assert f'{name}: ' in capsys.readouterr().out


def test_failures_and_their_numbers(checkpoints, options, tmp_path) -> None:
    assert run('visualize', ['failures', 'mini/finetune_stb', checkpoints[0], '--count', '1', *options]) == 0
    lines = json.loads((tmp_path / 'new' / 'figure.json').read_text())
    assert [one['sample'] for one in lines] == [0, 1, 2, 3]
    assert all(0 <= one['hidden'] <= 1 and one['disagreement'] >= 0 < one['error'] for one in lines)


def test_features_and_curves(checkpoints, options, tmp_path, capsys) -> None:
    assert run('visualize', ['features', 'mini/finetune_stb', checkpoints[0], *options]) == 0
    assert 'old (latent), rgb-fused: cosine' in capsys.readouterr().out
    assert json.loads((tmp_path / 'new' / 'figure.json').read_text())[0]['name'] == 'old'
    assert run('visualize', ['curves', 'mini/finetune_stb', *checkpoints, *options]) == 0
    lines = json.loads((tmp_path / 'new' / 'figure.json').read_text())
    assert [one['name'] for one in lines] == ['old', 'new'] and len(lines[0]['curve3d']['pck']) == 41


def test_mistakes_are_one_sentence(checkpoints, options, capsys) -> None:
    assert run('visualize', ['failures', 'mini/finetune_stb', *checkpoints, *options]) == USER_ERROR_STATUS
    assert 'of one checkpoint' in capsys.readouterr().err
    gone = ['compare', 'mini/finetune_stb', checkpoints[0].replace('last', 'gone'), *options]
    assert run('visualize', gone) == USER_ERROR_STATUS
    assert 'gone.pth' in capsys.readouterr().err


def test_ways_to_choose_are_those_of_the_figures() -> None:
    from mmdualhand.apis import figures

    assert tuple(figures.PICKS) == PICKS
