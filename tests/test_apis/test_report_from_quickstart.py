"""The report of the quickstart: times over several calls, and when the page is written again."""

from __future__ import annotations

import os
import time

import pytest

from mmdualhand.apis.experiments import Measurement, Training
from mmdualhand.apis.experiments.cells import read_json, write_json
from mmdualhand.apis.experiments.origin import training_origin
from mmdualhand.apis.report import from_quickstart
from mmdualhand.apis.report.from_quickstart import SHOWN, Times, time_lines, update_page
from tests.fixtures.report_cells import two_targets
from tests.fixtures.report_networks import write_checkpoint

INIT = Training('init_rgb', 'mini/init_rgb')
PRETRAIN = Training('pretrain', 'mini/pretrain_rhd', start=INIT)
TUNED = Training('finetune_stb', 'mini/finetune_stb', start=PRETRAIN)
MEASUREMENTS = [
    Measurement(training, f'mini/{place}')
    for training in (PRETRAIN, TUNED)
    for place in ('pretrain_rhd', 'finetune_stb')
]


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def no_data(monkeypatch, tmp_path):
    monkeypatch.setenv('HAND_DATA', str(tmp_path / 'data'))


def train(training, work_dir, seconds):
    """A record as a finished training leaves it, of a checkpoint that a test may write."""
    record = {'origin': training_origin(training), 'checkpoint': 'epoch_1.pth', 'seconds': seconds}
    write_json(work_dir / training.key / 'training.json', record)
    (work_dir / training.key / 'epoch_1.pth').touch()
    return work_dir / training.key


def finished_ago(folder, seconds):
    moment = time.time() - seconds
    os.utime(folder / 'training.json', (moment, moment))


def test_times_over_two_calls(tmp_path):
    clock, file = Clock(), tmp_path / 'times.json'
    with pytest.raises(KeyboardInterrupt), Times(file, clock) as times:
        clock.now += 30
        times.note('render RHD', 29.96)
        assert read_json(file) == {'elapsed': 30.0, 'steps': {'render RHD': 30.0}}  # a kill would leave this
        clock.now += 60
        raise KeyboardInterrupt
    clock.now += 10_000  # nobody waits for it
    with Times(file, clock) as times:
        clock.now += 200
        assert (times.elapsed, times.of_this_call) == (290.0, 200.0)
    with Times(file, clock):  # there is nothing to do
        clock.now += 3
    assert read_json(file) == {'elapsed': 293.0, 'steps': {'render RHD': 30.0}}


def test_a_resumed_training_counts_whole_and_its_tests_once(tmp_path):
    # Two trainings side by side; the call with most of the pre-training in it was interrupted.
    clock = Clock()
    times = Times(tmp_path / 'times.json', clock)
    times.note('render STB', 40.0)
    pretrain = train(PRETRAIN, tmp_path, 500.0)
    finished_ago(pretrain, 12.0)
    times.note_job(pretrain, 70.0)  # 58 s of it, the rest of the training, are in the record
    tuned = train(TUNED, tmp_path, 80.0)
    finished_ago(tuned, 5.0)
    times.note_job(tuned, 90.0)
    finished_ago(tuned, 900.0)
    times.note_job(tuned, 25.0)  # in a later call the tests that were missing
    train(INIT, tmp_path, 60.0)
    times.note('report', 8.0)
    clock.now += 200
    steps = times.steps(MEASUREMENTS, tmp_path)
    assert [name for name, _ in steps] == [
        'render STB', 'train init_rgb', 'train and test pretrain', 'train and test finetune_stb', 'report',
    ]  # fmt: skip
    assert [seconds for _, seconds in steps] == pytest.approx([40.0, 60.0, 512.0, 110.0, 8.0], abs=0.5)
    lines = time_lines(times, steps[:2], 2).splitlines()
    assert lines == [
        'time: render STB 40 s, train init_rgb 1 min 00 s',
        'all in 3 min 20 s with 2 processes, 3 min 20 s of it in this call',
    ]


def test_a_training_of_another_config_has_no_time(tmp_path):
    folder = train(PRETRAIN, tmp_path, 500.0)
    times = Times(tmp_path / 'times.json')
    assert times.steps(MEASUREMENTS, tmp_path) == [('train and test pretrain', 500.0)]
    write_json(folder / 'training.json', {**read_json(folder / 'training.json'), 'origin': {'hash': 'other'}})
    assert times.steps(MEASUREMENTS, tmp_path) == []


def test_the_page_is_written_again_when_its_cells_differ(tmp_path):
    times = Times(tmp_path / 'times.json')

    def update(cells):
        page = update_page(tmp_path, MEASUREMENTS, cells, times)
        return page.stat().st_mtime_ns, page.read_text(encoding='utf-8')

    cells = two_targets()
    first, text = update(cells)
    assert 'Elapsed' in text and '<th scope="row">report</th>' in text
    assert 'does not show' in text and '21.0' in text and '22.2' not in text
    os.utime(tmp_path / 'report.html', (1, 1))  # older than everything else, and it shows what there is
    assert update(two_targets())[0] == 10**9

    changed = [dict(cell, metrics={**cell['metrics'], 'EPE': 22.2}) for cell in cells]
    os.utime(tmp_path / 'report.html', (2e9, 2e9))  # newer than everything else
    moment, text = update(changed)
    assert moment != 2 * 10**18 and '22.2' in text
    again = [dict(cell, origin={'hash': 'b'}) for cell in changed]  # the same numbers from something else
    assert update(again)[0] != moment
    for lost in ('report.html', SHOWN):
        moment = update(again)[0]
        (tmp_path / lost).unlink()
        assert update(again)[0] != moment


def test_an_interrupted_page_is_made_again(tmp_path, monkeypatch):
    times = Times(tmp_path / 'times.json')
    update_page(tmp_path, MEASUREMENTS, two_targets(), times)
    changed = two_targets(shift=1.0)

    def stop(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(from_quickstart, 'write_report', stop)
        update_page(tmp_path, MEASUREMENTS, changed, times)
    assert '22.0' in update_page(tmp_path, MEASUREMENTS, changed, times).read_text(encoding='utf-8')


def test_networks_are_compared_and_nothing_is_said_of_their_tensors(tmp_path, embedded_sets, capfd):
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / 'mini').symlink_to(embedded_sets)
    for number, training in enumerate((PRETRAIN, TUNED)):
        folder = train(training, tmp_path, 1.0)
        write_checkpoint(folder / 'epoch_1.pth', number)
    times = Times(tmp_path / 'times.json')
    page = update_page(tmp_path, MEASUREMENTS, two_targets(), times).read_text(encoding='utf-8')
    assert 'of 4 test pictures; its median goes from' in page
    assert 'train and test finetune_stb' in page
    said = capfd.readouterr()
    assert (said.out, said.err) == ('', '')
