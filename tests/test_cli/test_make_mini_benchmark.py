"""The command that renders the embedded sets."""

from __future__ import annotations

import hashlib
import os
from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdualhand.cli.main import run
from mmdualhand.cli.make_mini_benchmark import SCALES, Timing, make_request, parse_args, timing_table
from mmdualhand.errors import ConfigError
from mmdualhand.synthesis import LAYOUTS
from tests.fixtures.embedded import SEED, SIZES
from tests.fixtures.runs import run_command

CLOCK = """
import time
shift = 3 * 86400 + 12345
real = {name: getattr(time, name) for name in ('time', 'localtime', 'gmtime', 'asctime', 'strftime')}
time.time = lambda: real['time']() + shift
time.localtime = lambda seconds=None: real['localtime'](time.time() if seconds is None else seconds)
time.gmtime = lambda seconds=None: real['gmtime'](time.time() if seconds is None else seconds)
time.asctime = lambda moment=None: real['asctime'](time.localtime() if moment is None else moment)
time.strftime = lambda form, moment=None: real['strftime'](form, moment or time.localtime())
"""
"""Another time of day for every process that finds this file."""


def test_one_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ['--num', '3', '--eval-num', '1', '--image-size', '64']
    arguments = ['--out', str(tmp_path), '--only', 'rhd', *sizes, '--workers', '1']
    assert run('make-mini-benchmark', [*arguments, '--sheet', '2']) == 0
    printed = capsys.readouterr()
    assert '3 training and 1 evaluation pictures' in printed.out and 'ms a picture and process' in printed.out
    assert '4/4' in printed.err and 's left' in printed.err
    assert (tmp_path / 'rhd_sheet.png').is_file()
    assert run('make-mini-benchmark', [*arguments, '--digest']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'is there already' in lines[0]
    digests = dict(reversed(line.split('  ')) for line in lines[1:])
    assert len(digests) == 3 * 4 + 2 * 2 + 1
    picture = tmp_path / 'RHD_published_v2/training/color/00002.png'
    expected = hashlib.sha256(picture.read_bytes()).hexdigest()
    assert digests['RHD_published_v2/training/color/00002.png'] == expected
    assert run('make-mini-benchmark', [*arguments, '--seed', '5']) == 2
    assert '--overwrite' in capsys.readouterr().err


@pytest.mark.parametrize('name', ['stb', 'freihand', 'h3d', 'mvhand'])
def test_the_same_bytes_at_another_time_of_day_on_one_process(
    name: str, embedded_sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fixture used two processes; here every process believes that three days have passed."""
    clock = tmp_path / 'clock'
    clock.mkdir()
    (clock / 'sitecustomize.py').write_text(CLOCK)
    train, test = SIZES[name]
    sizes = ['--num', train, '--test-num', test, '--seed', SEED, '--workers', 1]
    monkeypatch.setattr('tests.fixtures.runs.REPO', f'{clock}{os.pathsep}{Path.cwd()}')
    result = run_command(
        ['make-mini-benchmark', '--out', tmp_path, '--only', name, *sizes, '--digest'], tmp_path
    )
    assert result.returncode == 0, result.stderr[-2000:]
    lines = [line.split('  ') for line in result.stdout.splitlines() if line.count('  ') == 1]
    digests = {path: digest for digest, path in lines}
    files = [file for file in (embedded_sets / LAYOUTS[name].folder_name).rglob('*') if file.is_file()]
    expected = {
        file.relative_to(embedded_sets).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }
    assert len(digests) > 15 and digests == expected


def test_numbers_of_the_scales() -> None:
    def numbers(*arguments: str) -> dict[str, tuple[int, int]]:
        args = parse_args(list(arguments))
        requests = {name: make_request(name, args) for name in args.only}
        for name, request in requests.items():
            LAYOUTS[name].check_size(request)
        return {name: (one.num_train, one.num_test) for name, one in requests.items()}

    targets = ('stb', 'freihand', 'h3d', 'mvhand')
    assert numbers() == {'rhd': (2000, 300), **dict.fromkeys(targets, (400, 200))}
    assert numbers('--scale', 'small') == {'rhd': (4000, 500), **dict.fromkeys(targets, (1200, 400))}
    assert numbers('--num', '2000', '--only', 'rhd') == {'rhd': (2000, 300)}
    assert numbers('--num', '24', '--only', 'rhd', 'mvhand') == {'rhd': (24, 3), 'mvhand': (24, 12)}
    assert numbers('--num', '12', '--only', 'mvhand') == {'mvhand': (12, 8)}
    assert numbers('--num', '40', '--test-num', '8') == dict.fromkeys(('rhd', *targets), (40, 8))
    assert set(SCALES) == {'mini', 'small'}


def test_times_are_added_up() -> None:
    timings = [Timing('RHD', 100, 10.0, 2), Timing('STB', 50, 20.0, 2)]
    assert timing_table(timings).splitlines()[2:] == [
        '| RHD | 100 | 10 | 200 |',
        '| STB | 50 | 20 | 800 |',
        '| all | 150 | 30 | 400 |',
    ]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--domain', 'source'], 'are for a single set'),
        (['--image-size', '64'], 'are for a single set'),
        (['--only', 'stb', '--num', '9'], 'num_train (--num) of STB must be a number from 10 on'),
        (['--only', 'rhd', '--background-dir', 'nowhere'], 'nowhere is not a folder'),
        (['--only', 'rhd', '--num', '1', '--workers', '0'], 'workers must be 1 or more'),
        (['--only', 'rhd', 'freihand', '--num', '2'], '(--num) of FreiHAND must be a multiple of 4'),
        (['--only', 'rhd', 'stb', '--num', '10', '--test-num', '1'], 'num_test (--test-num) of STB'),
        (['--only', 'rhd', '--num', '1', '--sheet', '0'], '--sheet must be 1 or more'),
    ],
)
def test_bad_options(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run('make-mini-benchmark', ['--out', str(tmp_path / 'sets'), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'sets').exists()


def test_ctrl_c_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr('mmdualhand.synthesis.generate._render_all', stop)
    assert run('make-mini-benchmark', ['--out', str(tmp_path), '--only', 'rhd', '--num', '1']) == 130
    assert capsys.readouterr().err == 'mmdualhand make-mini-benchmark: interrupted\n'
    assert not list(tmp_path.iterdir())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twenty flat photos, each of a colour of its own."""
    folder = tmp_path / 'photos'
    (folder / 'more').mkdir(parents=True)
    for number in range(20):
        colour = np.full((300, 400, 3), [12 * number, 255 - 12 * number, 90], np.uint8)
        place = folder / 'more' if number % 2 else folder
        cv2.imwrite(str(place / f'photo{number}.png'), colour)
    return folder


def test_photos_behind_the_hands(photos: Path, tmp_path: Path) -> None:
    import json

    args = Namespace(**{**vars(parse_args([])), 'num': 3, 'test_num': 2, 'background_dir': str(photos)})
    request = make_request('rhd', args)
    note = json.loads(LAYOUTS['rhd'].note(request))
    train, test = (dict(note['photos'][split]) for split in ('train', 'test'))
    assert train and test and not set(train) & set(test) and len(train) + len(test) == 20
    assert train.get('more/photo1.png', test.get('more/photo1.png')) > 100
    assert str(tmp_path) not in json.dumps(note)
    (sample,) = LAYOUTS['rhd'].render_job(('train', 0), request)
    behind = sample.rgb[sample.depth == 0].astype(float)
    assert behind.std(axis=0).max() < 6  # one of the flat photos
    with pytest.raises(ConfigError, match='photos'):
        empty = tmp_path / 'empty'
        empty.mkdir()
        LAYOUTS['rhd'].note(make_request('rhd', Namespace(**{**vars(args), 'background_dir': str(empty)})))
