"""Networks by name, file, checkpoint and as they are; detectors."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import mmdualhand
from mmdualhand.apis import load_model
from mmdualhand.apis.detectors import MediaPipeDetector, detect
from mmdualhand.apis.export.write import export_network
from mmdualhand.apis.load_model import default_device, get_model, init_model, make_runner
from mmdualhand.apis.model_zoo import get_config, list_models
from mmdualhand.errors import ConfigError, DataError, MissingFileError, MissingPackageError, UnsafeFileError
from mmdualhand.models.rgb_path import rgb_path
from tests.fixtures.dot_runner import DotRunner
from tests.fixtures.report_networks import write_checkpoint


@pytest.fixture(scope='module')
def tiny(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp('networks') / 'tiny.pth', 1)


def test_a_checkpoint_names_its_network(tiny):
    model = init_model(tiny, device='cpu')
    saved = torch.load(tiny, weights_only=True)['state_dict']
    key = 'head.final.weight'
    assert torch.equal(model.state_dict()[key], saved[key]) and not model.training


def test_every_form_gives_the_same_runner(tiny):
    crops = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), np.uint8)
    model = init_model(tiny, device='cpu')
    runners = [make_runner(one, device='cpu') for one in (tiny, str(tiny), model, rgb_path(model))]
    runners.append(make_runner(runners[0]))
    first, *others = (runner(crops)['pose25d'] for runner in runners)
    assert first.shape == (2, 21, 3) and np.ptp(first[..., 0]) > 0.1
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_the_calibration_of_a_checkpoint_comes_along(tiny, tmp_path):
    content = torch.load(tiny, weights_only=True)
    content['meta']['calibration'] = dict(format=1)
    torch.save(content, tmp_path / 'c.pth')
    assert make_runner(tmp_path / 'c.pth', device='cpu').facts.calibration == dict(format=1)
    assert make_runner(tiny, device='cpu').facts.calibration is None


def test_the_network_of_a_shipped_config():
    model = mmdualhand.get_model('mini/compared/regda_res101_stage1')
    assert type(model).__name__ == 'HeatmapEstimator' and model.checkpoint_meta == {}
    assert make_runner(model).facts.dims == 2


def test_what_is_refused(tiny, tmp_path):
    for call, message in (
        (lambda: init_model('benchmarks/stb'), 'has no model'),
        (lambda: init_model(tiny, tiny), 'second checkpoint'),
        (lambda: get_model(tmp_path / 'none.py'), 'neither a config file'),
        (lambda: get_model(tiny), r'no name of a config: mmdualhand\.init_model\(.*tiny\.pth'),
        (lambda: make_runner(tiny, tiny), 'second checkpoint'),
        (lambda: make_runner(DotRunner(), tiny), 'name or file of a config'),
        (lambda: make_runner(7), 'got int'),
        (lambda: default_device('gpu0'), 'not a device'),
    ):
        with pytest.raises(ConfigError, match=message):
            call()
    with pytest.raises(MissingFileError):
        init_model(tmp_path / 'none.pth')
    (tmp_path / 'bad.pth').write_bytes(b'nothing')
    with pytest.raises(UnsafeFileError):
        init_model(tmp_path / 'bad.pth')
    torch.save(dict(state_dict={}), tmp_path / 'bare.pth')
    with pytest.raises(ConfigError, match='does not name its network'):
        init_model(tmp_path / 'bare.pth')


def test_an_untrained_network_is_said_once(tiny, monkeypatch):
    said = []
    monkeypatch.setattr(load_model, 'print_log', lambda *words: said.append(words))
    load_model._warn_untrained.cache_clear()
    for _ in range(2):
        init_model('mini/compared/regda_res101_stage1', device='cpu')
    init_model(tiny, device='cpu')
    (words,) = said
    assert 'regda_res101_stage1 was built without a checkpoint' in words[0] and words[2] == logging.WARNING


def test_exported_files_and_devices(tiny, tmp_path, monkeypatch):
    file = tmp_path / 'hand.ts'
    export_network(init_model(tiny, device='cpu'), [file])
    assert make_runner(file)._device == make_runner(file, device='cpu')._device == 'cpu'
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(ConfigError, match="'cuda:0' was asked for, and torch sees no CUDA"):
        make_runner(file, device='cuda:0')
    taken = []
    monkeypatch.setattr(load_model, 'load_runner', lambda file, device: taken.append(device))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    make_runner(file, device='cuda:0')
    make_runner('hand.onnx', device='cpu')
    assert taken == ['cuda:0', 'cpu']
    with pytest.raises(ConfigError, match="hand.onnx runs on the CPU, device='cuda:0' has no meaning"):
        make_runner('hand.onnx', device='cuda:0')


def test_names_that_are_not_known(tmp_path):
    with pytest.raises(ConfigError) as far:
        get_model('qqqqqqqq')
    assert f'mmdualhand.list_models() gives all {len(list_models())}' in str(far.value)
    assert 'finetune_freihand' in str(far.value) and len(str(far.value)) < 300
    with pytest.raises(ConfigError, match=r"Did you mean 'pretrain_rhd'.*list_models\(\)"):
        get_model('pretrain_rdh')
    (tmp_path / 'words.txt').write_text('no config')
    with pytest.raises(ConfigError, match=r'words\.txt cannot be read'):
        get_config(tmp_path / 'words.txt')


def test_forms_of_a_detector():
    boxes = [[0, 0, 5, 5], [3, 3, 1, 9], [1, 1, 2, 2]]
    found, sides = detect(lambda image: boxes, np.zeros((9, 9, 3), np.uint8))
    assert found.tolist() == [[0, 0, 5, 5], [1, 1, 2, 2]] and sides == [None, None]
    found, sides = detect(lambda image: (boxes, ['left', None, 'right']), np.zeros((9, 9, 3), np.uint8))
    assert sides == ['left', 'right']
    assert detect(lambda image: [], np.zeros((9, 9, 3), np.uint8))[0].shape == (0, 4)
    for answer in ((boxes, ['left']), (boxes, ['a', 'b', 'c']), np.zeros((2, 2, 4))):
        with pytest.raises(DataError):
            detect(lambda image, answer=answer: answer, np.zeros((9, 9, 3), np.uint8))


def landmarks():
    return [SimpleNamespace(x=0.25, y=0.5), SimpleNamespace(x=0.75, y=0.6), SimpleNamespace(x=0.5, y=0.75)]


def test_mediapipe_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mediapipe', None)
    with pytest.raises(MissingPackageError, match=r'mmdualhand\[mediapipe\]'):
        MediaPipeDetector()


def test_mediapipe_solutions(monkeypatch):
    """A stand-in with the names of mediapipe's older interface."""
    side = SimpleNamespace(classification=[SimpleNamespace(label='Left')])
    answer = SimpleNamespace(
        multi_hand_landmarks=[SimpleNamespace(landmark=landmarks())], multi_handedness=[side]
    )
    hands = SimpleNamespace(Hands=lambda **options: SimpleNamespace(process=lambda image: answer))
    monkeypatch.setitem(sys.modules, 'mediapipe', SimpleNamespace(solutions=SimpleNamespace(hands=hands)))
    boxes, sides = MediaPipeDetector()(np.zeros((100, 200, 3), np.uint8))
    assert boxes.tolist() == [[49.5, 49.5, 149.5, 74.5]] and sides == ['right']  # named as in a mirror
    answer.multi_hand_landmarks = answer.multi_handedness = None
    assert MediaPipeDetector()(np.zeros((100, 200, 3), np.uint8))[0].shape == (0, 4)


def test_mediapipe_tasks(monkeypatch):
    """The same with its newer interface, which needs a file."""
    answer = SimpleNamespace(
        hand_landmarks=[landmarks()], handedness=[[SimpleNamespace(category_name='Right')]]
    )
    landmarker = SimpleNamespace(detect=lambda image: answer)
    vision = SimpleNamespace(
        HandLandmarkerOptions=lambda **options: options,
        HandLandmarker=SimpleNamespace(create_from_options=lambda options: landmarker),
    )
    module = SimpleNamespace(
        tasks=SimpleNamespace(vision=vision, BaseOptions=lambda model_asset_path: model_asset_path),
        Image=lambda image_format, data: data,
        ImageFormat=SimpleNamespace(SRGB=1),
    )
    monkeypatch.setitem(sys.modules, 'mediapipe', module)
    with pytest.raises(ConfigError, match=r'hand_landmarker\.task'):
        MediaPipeDetector()
    boxes, sides = MediaPipeDetector('hand_landmarker.task')(np.zeros((100, 200, 3), np.uint8))
    assert boxes.tolist() == [[49.5, 49.5, 149.5, 74.5]] and sides == ['left']
