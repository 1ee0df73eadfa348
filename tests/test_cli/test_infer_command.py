"""``mmdualhand infer`` and the demos, on files."""

from __future__ import annotations

import importlib.util
import json
import re
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmdualhand import compat
from mmdualhand.apis.pictures import open_pictures
from mmdualhand.apis.result_writer import UNITS, ResultWriter
from mmdualhand.apis.split_photos import split_photos
from mmdualhand.apis.video_writer import VideoWriter
from mmdualhand.apis.write_image import write_image
from mmdualhand.cli.main import run
from mmdualhand.errors import ConfigError
from mmdualhand.structures import PictureResult
from tests.fixtures.dot_runner import dot_picture
from tests.fixtures.ge_real_writer import write_ge_real
from tests.fixtures.hand_results import SIZE, hand_result, photo
from tests.fixtures.report_networks import write_checkpoint

DEMOS = Path(__file__).resolve().parents[2] / 'demo'


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory) -> str:
    return str(write_checkpoint(tmp_path_factory.mktemp('networks') / 'tiny.pth', 1))


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / 'photos'
    folder.mkdir()
    for name in ('a.png', 'b.jpg'):
        cv2.imwrite(str(folder / name), dot_picture(60, 40))
    (folder / 'c.jpg').write_bytes(b'\xff\xd8 half')
    return folder


@pytest.fixture(scope='module')
def film(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp('film') / 'hand.avi'
    with VideoWriter(path, 20.0) as writer:
        for n in range(6):
            writer.write(dot_picture(50 + 5 * n, 60))
    return str(path)


def test_pictures_a_video_and_numbers(photos, checkpoint, tmp_path, capsys):
    out = tmp_path / 'out'
    options = ['--out', str(out), '--side', 'left', '--video', '--height', '128', '--device', 'cpu']
    assert run('infer', [str(photos), checkpoint, *options]) == 0
    printed = capsys.readouterr()
    assert '3 pictures, 2 hands, 1 notes' in printed.out and 'c.jpg' in printed.err
    record = json.loads((out / 'results.json').read_text())
    assert [Path(p['path']).name for p in record['pictures']] == ['a.png', 'b.jpg', 'c.jpg']
    assert record['units'] == UNITS and len(record['joints']) == 21
    hand = record['pictures'][0]['hands'][0]
    assert hand['side'] == 'left' and set(UNITS) <= set(hand) and np.shape(hand['keypoints']) == (21, 2)
    assert sorted(p.name for p in (out / 'pictures').iterdir()) == ['a.jpg', 'b.jpg']
    frames = list(open_pictures(out / 'hands.mp4').pictures)
    assert len(frames) == 2 and frames[0].image.shape[0] == 128 and frames[0].image.shape[1] > 171
    drawn = cv2.cvtColor(cv2.imread(str(out / 'pictures' / 'a.jpg')), cv2.COLOR_BGR2RGB)
    assert drawn.shape == frames[0].image.shape


def test_every_picture_has_all_boxes_of_the_command_line(photos, checkpoint, tmp_path):
    boxes = [word for x in (40, 45, 50) for word in ('--box', str(x), '20', '80', '60')]  # as many as photos
    options = ['--side', 'right', '--no-draw', '--out', str(tmp_path / 'out'), '--device', 'cpu']
    assert run('infer', [str(photos), checkpoint, *boxes, *options]) == 0
    pictures = json.loads((tmp_path / 'out' / 'results.json').read_text())['pictures']
    assert [[hand['box'][0] for hand in p['hands']] for p in pictures] == [[40, 45, 50], [40, 45, 50], []]


def test_a_video_gives_a_video(film, checkpoint, tmp_path, capsys):
    out = tmp_path / 'out'
    options = ['--box', '40', '40', '120', '110', '--out', str(out), '--height', '96', '--max-frames', '4']
    assert run('infer', [film, checkpoint, *options, '--camera', '200', '200', '80', '60']) == 0
    source = open_pictures(out / 'hands.mp4')
    assert source.fps == pytest.approx(20.0) and len(list(source.pictures)) == 4
    assert not (out / 'pictures').exists()
    frames = json.loads((out / 'results.json').read_text())['pictures']
    assert [p['frame'] for p in frames] == [0, 1, 2, 3] and frames[0]['hands'][0]['metric'] == 'none'


def test_numbers_alone_with_a_file_of_boxes(photos, checkpoint, tmp_path):
    boxes, out = tmp_path / 'boxes.json', tmp_path / 'out'
    boxes.write_text(json.dumps({'a.png': [[40, 20, 80, 60], [10, 10, 50, 50]], 'b.jpg': [40, 20, 80, 60]}))
    assert run('infer', [str(photos), checkpoint, '--boxes', str(boxes), '--out', str(out), '--no-draw']) == 0
    pictures = json.loads((out / 'results.json').read_text())['pictures']
    assert [len(p['hands']) for p in pictures] == [2, 1, 0]
    assert [p.name for p in out.iterdir()] == ['results.json']


def test_one_part_of_a_set_of_photos(checkpoint, tmp_path):
    root, found = write_ge_real(tmp_path / 'ge'), {}  # four photos: number 0 is train, the others dev
    (root / 'images' / 'unlisted.png').write_bytes((root / 'images' / '00000.png').read_bytes())
    for split in ('dev', 'train'):
        out = tmp_path / split
        options = ['--split', split, '--side', 'left', '--no-draw', '--out', str(out), '--device', 'cpu']
        assert run('infer', [str(root), checkpoint, *options]) == 0
        pictures = json.loads((out / 'results.json').read_text())['pictures']
        assert all(hand['side'] == 'left' for picture in pictures for hand in picture['hands'])
        found[split] = [(Path(one['path']).name, len(one['hands'])) for one in pictures]
    assert found == {
        'dev': [('00001.png', 1), ('00002.png', 1), ('00003.png', 1)],
        'train': [('00000.png', 1)],
    }
    with pytest.raises(ConfigError, match=r"split must be one of \('dev', 'train'\), got 'test'"):
        split_photos(root, 'test')


@pytest.mark.parametrize('given', ['photos', 'photos/a.png', 'nowhere'])
def test_a_split_needs_its_lists(photos, checkpoint, tmp_path, capsys, given):
    arguments = [str(tmp_path / given), checkpoint, '--split', 'dev', '--out', str(tmp_path / 'out')]
    assert run('infer', arguments) == 2
    error = capsys.readouterr().err
    assert 'splits.json is not there' in error and 'leave --split out' in error
    assert len(error.strip().splitlines()) == 1 and not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nowhere.png'], 'nowhere.png is not there'),
        (['--boxes', 'gone.json'], 'gone.json is not there'),
        (['--max-frames', '0'], '--max-frames must be at least 1'),
        (['--no-draw', '--video'], 'leave one of them out'),
        (['--height', '10'], 'at least 64'),
        (['--root-depth', '400'], 'says nothing without camera'),
    ],
)
def test_errors_are_one_sentence(photos, checkpoint, tmp_path, capsys, arguments, message):
    given = arguments if not arguments[0].startswith('--') else [str(photos), *arguments]
    status = run('infer', [given[0], checkpoint, *given[1:], '--out', str(tmp_path / 'out')])
    error = capsys.readouterr().err
    assert status == 2 and message in error and len(error.strip().splitlines()) == 1


def test_the_status_is_1_where_nothing_could_be_read(photos, checkpoint, tmp_path, capsys):
    for name in ('a.png', 'b.jpg'):
        (photos / name).write_bytes(b'no picture')
    assert run('infer', [str(photos), checkpoint, '--out', str(tmp_path / 'out')]) == 1
    assert '3 pictures, 0 hands, 3 notes' in capsys.readouterr().out


def test_every_hand_of_a_picture_has_its_view(tmp_path):
    hand, image = hand_result(), photo()
    one, two = (PictureResult(f'{n}.png', None, SIZE, (hand,) * n, image=image) for n in (1, 2))
    three = PictureResult('3.png', None, SIZE, (hand,) * 3, image=image)
    widths = []
    for video, results in ((False, (one, two, three)), (True, (two, one))):
        with ResultWriter(tmp_path / str(video), height=96, video=video) as writer:
            for result in results:
                writer.write(result)
        files = sorted((tmp_path / str(video) / 'pictures').iterdir())
        widths.append([cv2.imread(str(file)).shape[1] for file in files])
    assert widths == [[128 + 48, 128 + 96, 128 + 96], [128 + 96, 128 + 96]]


def test_pictures_that_cannot_be_written_are_said(tmp_path):
    image = np.full((8, 8, 3), (9, 5, 1), np.uint8)
    path = write_image(tmp_path / 'new' / 'a.png', image)
    assert cv2.imread(str(path))[0, 0].tolist() == [1, 5, 9]
    with pytest.raises(ConfigError, match='must end as a picture does'):
        write_image(tmp_path / 'a.words', image)
    with pytest.raises(ConfigError, match=r'b\.png cannot be written'):
        write_image(path / 'b.png', image)
    with ResultWriter(tmp_path, height=64) as writer:
        (tmp_path / 'pictures' / 'p.jpg').mkdir()
        with pytest.raises(ConfigError, match=r'p\.jpg cannot be written'):
            writer.write(PictureResult('p.png', None, (8, 8), image=image))


@pytest.mark.parametrize(
    ('model', 'message'),
    [('mini/pretrain_rhd', 'add --checkpoint FILE.pth'), ('mini/pretrain_rdh', "mean 'mini/pretrain_rhd'")],
)
def test_a_config_alone_is_refused(photos, tmp_path, capsys, model, message):
    assert run('infer', [str(photos), model, '--out', str(tmp_path / 'out')]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / 'out').exists()


def test_trust_checkpoint(photos, checkpoint, tmp_path, capsys):
    content = torch.load(checkpoint, weights_only=True)
    torch.save({**content, 'written': Path('somewhere')}, tmp_path / 'other.pth')
    arguments = [str(photos), str(tmp_path / 'other.pth'), '--no-draw', '--out', str(tmp_path / 'out')]
    try:
        assert run('infer', arguments) == 2
        assert 'pass --trust-checkpoint' in capsys.readouterr().err
        assert run('infer', [*arguments, '--trust-checkpoint']) == 0
    finally:
        compat.apply_patches()


def test_names_that_occur_twice_are_kept_apart(tmp_path):
    image = np.full((32, 32, 3), 90, np.uint8)
    with ResultWriter(tmp_path, height=64) as writer:
        for path in ('x/p.png', 'y/p.png'):
            writer.write(PictureResult(path, None, (32, 32), image=image))
        writer.write(PictureResult('v.avi', 7, (32, 32), image=image))
    names = sorted(p.name for p in (tmp_path / 'pictures').iterdir())
    assert names == ['p.jpg', 'p_2.jpg', 'v_000007.jpg']
    with pytest.raises(ConfigError, match='cannot be written'):
        ResultWriter(tmp_path / 'results.json' / 'sub')


def demo(name: str):
    spec = importlib.util.spec_from_file_location(name, DEMOS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_image_demo(photos, checkpoint, tmp_path, capsys):
    out = f'{tmp_path}/h.png'
    demo('image_demo').main([str(photos / 'a.png'), checkpoint, '--side', 'right', '--out', out])
    assert 'right hand' in capsys.readouterr().out
    assert cv2.imread(f'{tmp_path}/h.png').shape[0] == 480


def test_video_demo(film, checkpoint, tmp_path, capsys):
    demo('video_demo').main([film, checkpoint, '--side', 'left', '--out', f'{tmp_path}/h.mp4'])
    assert '6 frames' in capsys.readouterr().out
    assert len(list(open_pictures(f'{tmp_path}/h.mp4').pictures)) == 6


def test_webcam_demo_on_a_recorded_file(film, checkpoint, tmp_path, capsys):
    demo('webcam_demo').main(
        [checkpoint, '--input', film, '--no-window', '--side', 'right', '--out', f'{tmp_path}/h.mp4']
    )
    assert re.search(r'^6 frames, [1-9]\d*\.\d frames a second', capsys.readouterr().out, re.MULTILINE)
    assert len(list(open_pictures(f'{tmp_path}/h.mp4').pictures)) == 6


def test_ctrl_c_closes_the_video_and_prints_the_rate(film, checkpoint, tmp_path, capsys, monkeypatch):
    shown = []

    def show(*_):
        shown.append(1)
        if len(shown) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(cv2, 'imshow', show)
    monkeypatch.setattr(cv2, 'waitKey', lambda _: -1)
    options = [checkpoint, '--input', film, '--side', 'right', '--out', f'{tmp_path}/h.mp4']
    demo('webcam_demo').main(options)
    assert re.search(r'^2 frames, [1-9]\d*\.\d frames a second', capsys.readouterr().out, re.MULTILINE)
    assert len(list(open_pictures(f'{tmp_path}/h.mp4').pictures)) == 3


@pytest.mark.parametrize(
    ('name', 'arguments', 'message'),
    [
        ('image_demo', ['gone.png', 'MODEL'], 'image_demo: .*gone.png is not there'),
        ('video_demo', ['gone.mp4', 'MODEL'], 'video_demo: .*gone.mp4 is not there'),
        ('webcam_demo', ['MODEL', '--openvino'], 'webcam_demo: OpenVINO runs an .onnx file'),
    ],
)
def test_demos_say_errors_in_one_line(checkpoint, monkeypatch, name, arguments, message):
    words = [checkpoint if word == 'MODEL' else word for word in arguments]
    monkeypatch.setattr('sys.argv', [name, *words])
    with pytest.raises(SystemExit, match=message) as caught:  # a text: printed, status 1
        runpy.run_path(str(DEMOS / f'{name}.py'), run_name='__main__')
    assert '\n' not in caught.value.code


def test_demos_are_short():
    lengths = {file.name: len(file.read_text().splitlines()) for file in DEMOS.glob('*.py')}
    assert set(lengths) == {'image_demo.py', 'video_demo.py', 'webcam_demo.py'}
    assert max(lengths.values()) < 60, lengths
