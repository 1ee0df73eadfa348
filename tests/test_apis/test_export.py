"""Exported files say what the network says, carry what they need, and run without this package."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mmdualhand.apis.export import int8_file, write
from mmdualhand.apis.export.facts import ExportFacts, parse_facts
from mmdualhand.apis.export.int8_file import require_int8, write_int8
from mmdualhand.apis.export.parity import Parity, compare, made_up_crops, require
from mmdualhand.apis.export.runners import (
    OnnxRunner,
    OpenVINORunner,
    TorchRunner,
    TorchScriptRunner,
    load_runner,
    openvino_has_bf16,
)
from mmdualhand.apis.export.write import export_network, in_batches
from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError, MissingFileError, MissingPackageError
from mmdualhand.models.folding import fold
from mmdualhand.models.rgb_path import rgb_path
from mmdualhand.registry import MODELS
from mmdualhand.testing.batches import tiny_estimator
from tests.fixtures.random_networks import unsettle
from tests.fixtures.runs import REPO

SIZE = (64, 48)
CALIBRATION = {'temperature': 2.0, 'bias': [0.5] * 21}
NAMES = ['keypoints', 'pose25d', 'confidence_raw', 'mask', 'depth_map']


@pytest.fixture(scope='module')
def model() -> torch.nn.Module:
    return unsettle(MODELS.build(tiny_estimator(size=SIZE)))


@pytest.fixture(scope='module')
def crops() -> np.ndarray:
    """Other crops than those that the files are compared on when they are written."""
    return made_up_crops(SIZE, 5, seed=7)


@pytest.fixture(scope='module')
def expected(model: torch.nn.Module, crops: np.ndarray) -> dict[str, np.ndarray]:
    return TorchRunner(rgb_path(model))(crops)


@pytest.fixture(scope='module')
def onnx() -> None:
    for package in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(package, reason='ONNX needs the extra export')


@pytest.fixture(scope='module')
def onnx_file(onnx: None, model: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp('export') / 'hand.onnx'
    report = export_network(model, [file], calibration=CALIBRATION, source='hand.pth')
    names = [parity.name for parity in report.parities]
    assert names[:3] == ['folded, torch', '.onnx, batch 1', '.onnx, batch 3']
    assert [parity.bound for parity in report.parities][:3] == [0.01, 0.05, 0.05]
    return file


@pytest.fixture(scope='module')
def script_file(model: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp('export') / 'hand.ts'
    export_network(model, [file], calibration=CALIBRATION, source='hand.pth')
    return file


def check_runner(runner: object, crops: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    assert runner.facts == ExportFacts(SIZE, 3, CALIBRATION, 'hand.pth')
    for batch in (1, 2, 5):
        found = in_batches(runner, crops, batch)
        assert list(found) == NAMES
        parity = compare('', expected, found, SIZE)
        assert parity.pixels < 0.05
        assert parity.millimetres < 0.05
        for name in NAMES:
            assert found[name].dtype == np.float32
            np.testing.assert_allclose(found[name], expected[name], atol=2e-3)


def typical_shift(expected: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> float:
    """Median over the joints, px."""
    return float(np.median(np.linalg.norm(found['keypoints'] - expected['keypoints'], axis=-1)))


def test_the_network_of_these_tests_says_something(expected: dict[str, np.ndarray]) -> None:
    assert expected['keypoints'].std(axis=0).mean() > 0.1
    assert expected['pose25d'][..., 2].std() > 0.01


def test_folding(model: torch.nn.Module, crops: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    parity = compare('', expected, TorchRunner(fold(rgb_path(model)))(crops), SIZE)
    assert parity.pixels < 0.01
    assert parity.millimetres < 0.01


def test_onnxruntime(onnx_file: Path, crops: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    check_runner(OnnxRunner(onnx_file, threads=1), crops, expected)
    check_runner(load_runner(onnx_file), crops, expected)


def test_openvino(onnx_file: Path, crops: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    pytest.importorskip('openvino', reason='OpenVINO is part of the extra export')
    check_runner(OpenVINORunner(onnx_file, threads=1), crops, expected)
    if openvino_has_bf16():
        assert 1e-3 < typical_shift(expected, OpenVINORunner(onnx_file, precision='bf16')(crops)) < 0.3


def test_signals_after_openvino(onnx_file: Path) -> None:
    """Runners that go in the order in which they came leave a process that still takes signals."""
    pytest.importorskip('openvino', reason='OpenVINO is part of the extra export')
    script = """
import os, signal, sys
from mmdualhand.apis.export.runners import OpenVINORunner

signal.signal(signal.SIGUSR1, lambda number, frame: print('told'))
first = OpenVINORunner(sys.argv[1], threads=1)
second = OpenVINORunner(sys.argv[1], threads=1)
del first
del second
os.kill(os.getpid(), signal.SIGUSR1)
"""
    done = subprocess.run(
        [sys.executable, '-c', script, str(onnx_file)], capture_output=True, text=True, cwd=REPO
    )
    assert (done.returncode, done.stdout) == (0, 'told\n'), done.stderr


def test_int8(
    onnx: None,
    model: torch.nn.Module,
    crops: np.ndarray,
    expected: dict[str, np.ndarray],
    tmp_path: Path,
) -> None:
    file = tmp_path / 'hand.int8.onnx'
    ranges = made_up_crops(SIZE, 9, seed=8)
    report = export_network(
        model, [file], crops=crops, range_crops=ranges, calibration=CALIBRATION, source='hand.pth'
    )
    assert [one.name for one in tmp_path.iterdir()] == ['hand.int8.onnx']
    runner = load_runner(file, threads=1)
    assert runner.facts == ExportFacts(SIZE, 3, CALIBRATION, 'hand.pth')
    found = in_batches(runner, crops, 2)
    for name in NAMES:
        assert found[name].shape == expected[name].shape and found[name].dtype == np.float32
    parity = report.parities[1]
    assert parity.name == '.int8.onnx'
    moved = np.linalg.norm(found['keypoints'] - expected['keypoints'], axis=-1)
    assert parity.mean_pixels == pytest.approx(moved.mean(), abs=1e-4)
    assert 1e-3 < moved.mean() < 1.28
    assert f'(mean {parity.mean_pixels:.5f} px, allowed 1.28)' in str(parity)


def test_which_numbers_of_an_int8_file_are_small(onnx_file: Path, tmp_path: Path) -> None:
    import onnx

    file = tmp_path / 'hand.int8.onnx'
    write_int8(onnx_file, file, made_up_crops(SIZE, 2))
    graph = onnx.load(file).graph
    makers = {output: node for node in graph.node for output in node.output}
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type in ('Conv', 'ConvTranspose')]
    kinds = []
    for node in convolutions:
        weight = node.input[1]
        if weight in makers:
            assert makers[weight].op_type == 'DequantizeLinear'
            weight = makers[weight].input[0]
            assert abs(stored[weight].astype(int)).max() <= 64  # 7 bits
        kinds.append(stored[weight].dtype.name)
    assert kinds == ['float32', *['int8'] * (len(kinds) - 2), 'float32']
    assert len(kinds) > 20


def test_decoding_of_an_int8_file_is_exact(onnx: None, tmp_path: Path, crops: np.ndarray) -> None:
    """Keypoints of heat maps are cells, or a quarter of a cell of 4 px beside them: half pixels."""
    head = dict(type='HeatmapHead', deconv_channels=(8, 8, 8), codec=dict(type='Heatmap', input_size=SIZE))
    backbone = dict(type='DualResNet', depth=18, base_channels=4, branches=('rgb',))
    model = unsettle(MODELS.build(dict(type='HeatmapEstimator', backbone=backbone, head=head)))
    export_network(model, [tmp_path / 'flat.onnx'])
    write_int8(tmp_path / 'flat.onnx', tmp_path / 'flat.int8.onnx', crops)
    found = OnnxRunner(tmp_path / 'flat.int8.onnx')(crops)
    expected = OnnxRunner(tmp_path / 'flat.onnx')(crops)
    halves = 2 * found['keypoints']
    np.testing.assert_allclose(halves, halves.round(), atol=1e-4)
    assert (abs(found['keypoints'] - expected['keypoints']).max(-1) < 1e-4).mean() > 0.5
    assert abs(found['confidence_raw'] - expected['confidence_raw']).max() > 1e-5


def test_ranges_of_int8_come_from_the_crops(
    onnx_file: Path, crops: np.ndarray, expected: dict[str, np.ndarray], tmp_path: Path
) -> None:
    seen, dark = tmp_path / 'seen.int8.onnx', tmp_path / 'dark.int8.onnx'
    write_int8(onnx_file, seen, crops)
    write_int8(onnx_file, dark, np.full_like(crops, 124))  # the mean colour: nothing but padding is left
    near = compare('', expected, OnnxRunner(seen)(crops), SIZE)
    far = compare('', expected, OnnxRunner(dark)(crops), SIZE)
    assert near.mean_pixels < 0.5 * far.mean_pixels


def test_int8_that_moves_the_joints_too_far(model: torch.nn.Module, tmp_path: Path) -> None:
    parity = Parity('.int8.onnx', 3.0, 4.0, 0.1, mean_pixels=1.29)
    with pytest.raises(ConfigError, match=r'^\.int8\.onnx predicts .*\(mean 1\.29000 px, allowed 1\.28\)'):
        require_int8(parity, SIZE)
    assert require_int8(replace(parity, mean_pixels=1.28), SIZE).mean_bound == 1.28
    for name in ('mean_pixels', 'millimetres', 'confidence', 'maps'):
        with pytest.raises(ConfigError, match='predicts something else'):
            require_int8(replace(parity, **{'mean_pixels': 0.5, name: float('nan')}), SIZE)


def test_int8_needs_pictures_and_a_name(model: torch.nn.Module, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r'hand\.int8\.onnx: 8-bit integers need pictures.*--pictures FOLDER'
    ):
        export_network(model, [tmp_path / 'hand.int8.onnx'])
    for name in ('hand.INT8.onnx', 'hand.int8.ts'):
        with pytest.raises(ConfigError, match=r'its name ends in \.int8\.onnx'):
            export_network(model, [tmp_path / name], range_crops=made_up_crops(SIZE))
    with pytest.raises(ValueError, match='crops must be uint8'):
        export_network(model, [tmp_path / 'hand.int8.onnx'], range_crops=made_up_crops(SIZE)[:0])
    with pytest.raises(ConfigError, match='the crops are 48 x 64 pixels, the network takes 64 x 48'):
        export_network(model, [tmp_path / 'hand.int8.onnx'], range_crops=made_up_crops(SIZE[::-1]))
    assert list(tmp_path.iterdir()) == []


def test_all_files_or_none(
    onnx: None, model: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8_file, 'INT8_BOUND', 1e-9)
    with pytest.raises(ConfigError, match='nothing is written'):
        export_network(
            model, [tmp_path / 'hand.ts', tmp_path / 'hand.int8.onnx'], range_crops=made_up_crops(SIZE)
        )
    assert list(tmp_path.iterdir()) == []


def test_torchscript(script_file: Path, crops: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    check_runner(load_runner(script_file), crops, expected)
    assert isinstance(load_runner(script_file), TorchScriptRunner)


def test_a_program_without_this_package(
    onnx_file: Path, crops: np.ndarray, expected: dict[str, np.ndarray]
) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(onnx_file), providers=['CPUExecutionProvider'])
    (given,) = session.get_inputs()
    assert (given.name, given.type, given.shape[1:]) == ('crops', 'tensor(uint8)', [48, 64, 3])
    assert isinstance(given.shape[0], str)
    assert [one.name for one in session.get_outputs()] == NAMES
    (keypoints,) = session.run(['keypoints'], {'crops': crops[:1]})
    np.testing.assert_allclose(keypoints, expected['keypoints'][:1], atol=2e-3)
    facts = json.loads(session.get_modelmeta().custom_metadata_map['mmdualhand'])
    assert facts['input_size'] == [64, 48]
    assert facts['outputs'] == NAMES
    assert facts['calibration'] == CALIBRATION


def test_the_example_of_the_docs(onnx_file: Path, crops: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    text = (Path(__file__).resolve().parents[2] / 'docs' / 'export.md').read_text(encoding='utf-8')
    blocks = re.findall(r'```python\n(.*?)```', text, re.DOTALL)
    (block,) = [one for one in blocks if 'def open_network' in one]
    names: dict[str, Any] = {}
    exec(compile(block, 'docs/export.md', 'exec'), names)
    session, facts = names['open_network'](str(onnx_file))
    found = names['find_hands'](session, facts, crops)
    np.testing.assert_allclose(found['pose25d'], expected['pose25d'], atol=2e-3)
    camera = np.array([[90.0, 1.5, 30], [0, 80, 20], [0, 0, 1]])
    lifted = names['to_millimetres'](found, camera, 500.0, 40.0)
    each = torch.ones(len(crops), dtype=torch.float64)
    cameras = torch.from_numpy(camera).expand(len(crops), 3, 3)
    pose = torch.from_numpy(found['pose25d'].astype(np.float64))
    wanted = Pose25D(SIZE).lift(pose, cameras, 500 * each, 40 * each)
    np.testing.assert_allclose(lifted, wanted.numpy(), atol=1e-3)


def test_nothing_of_this_machine_in_the_file(onnx_file: Path) -> None:
    import onnx

    content = onnx_file.read_bytes()
    assert str(Path(write.__file__).parent).encode() not in content
    assert b'stack_trace' not in content
    kinds = {node.op_type for node in onnx.load(onnx_file).graph.node}
    assert 'BatchNormalization' not in kinds
    assert {'Conv', 'ConvTranspose', 'Softmax'} <= kinds


def test_bf16_of_torch(model: torch.nn.Module, crops: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    assert 1e-3 < typical_shift(expected, TorchRunner(rgb_path(model), precision='bf16')(crops)) < 0.3
    with pytest.raises(ConfigError, match="precision must be one of .* got 'fp16'"):
        TorchRunner(rgb_path(model), precision='fp16')


def test_a_file_that_says_something_else_is_not_kept(
    model: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_wrong(path: torch.nn.Module, file: Path, facts: ExportFacts) -> None:
        path.head.final.bias.add_(torch.arange(44.0))
        write.write_torchscript(path, file, facts)

    monkeypatch.setitem(write._KINDS, '.ts', (write_wrong, TorchScriptRunner))
    with pytest.raises(ConfigError, match=r'\.ts, batch 1 predicts something else'):
        export_network(model, [tmp_path / 'hand.ts'])
    assert list(tmp_path.iterdir()) == []


def test_compare_in_pixels_and_millimetres() -> None:
    pose = np.full((2, 21, 3), 31.5)
    pose[..., 2] = 0
    one = {'keypoints': np.zeros((2, 21, 2)), 'pose25d': pose, 'confidence_raw': np.zeros((2, 21))}
    other = {name: value.copy() for name, value in one.items()}
    other['keypoints'][1, 3] = (3, -4)
    other['pose25d'][1, 5, 2] = 0.1
    other['confidence_raw'][0, 0] = 0.0078125
    one['mask'], other['mask'] = np.zeros((2, 8, 8)), np.full((2, 8, 8), 0.001)
    one['depth_map'], other['depth_map'] = np.zeros((2, 8, 8)), np.full((2, 8, 8), 0.00390625)
    found = compare('x', one, other, (64, 64), bound=5)
    assert found.pixels == 5
    # A tenth of a bone of 45 mm, on a ray half a pixel from the axis.
    assert found.millimetres == pytest.approx(4.5, abs=1e-3)
    assert found.confidence == 0.0078125
    assert found.maps == 0.00390625
    assert found.holds
    assert not replace(found, bound=4.9).holds
    for name in ('pixels', 'confidence', 'maps'):
        assert not replace(found, **{name: float('nan')}).holds
    for name in ('confidence', 'maps'):
        assert not replace(found, **{name: 0.011}).holds
        assert replace(found, **{name: 0.011}, bound=None).holds
    assert require(found) is found
    assert 'x  ' in str(found) and '5.00000 px' in str(found) and '4.50' in str(found)


def test_compare_without_depth() -> None:
    pose = np.full((1, 21, 3), np.nan)
    one = {'keypoints': np.zeros((1, 21, 2)), 'pose25d': pose, 'confidence_raw': np.zeros((1, 21))}
    found = compare('2D', one, one, (64, 64), bound=0.01)
    assert found == Parity('2D', 0.0, None, 0.0, 0.01, None)
    assert 'maps' not in str(found)
    assert found.holds


def test_other_files_are_refused(model: torch.nn.Module, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"hand\.pb must end in one of \['\.int8\.onnx', '\.onnx', '\.ts'\]"
    ):
        export_network(model, [tmp_path / 'hand.pb'])
    with pytest.raises(ConfigError, match=r'hand\.pb must end in one of'):
        load_runner(tmp_path / 'hand.pb')
    with pytest.raises(MissingFileError, match=r'nothing\.ts is not there'):
        load_runner(tmp_path / 'nothing.ts')
    (tmp_path / 'text.ts').write_text('no network')
    with pytest.raises(ConfigError, match=r'text\.ts is no TorchScript file'):
        load_runner(tmp_path / 'text.ts')
    torch.jit.script(torch.nn.ReLU()).save(str(tmp_path / 'other.ts'))
    with pytest.raises(ConfigError, match=r'other\.ts does not say what it takes'):
        load_runner(tmp_path / 'other.ts')
    with pytest.raises(ConfigError, match='does not say'):
        parse_facts('{"input_size": [64, 48]}', source='x')


def test_a_broken_onnx_file(tmp_path: Path) -> None:
    pytest.importorskip('onnxruntime', reason='ONNX needs the extra export')
    (tmp_path / 'text.onnx').write_text('no network')
    with pytest.raises(ConfigError, match=r'text\.onnx cannot be run by onnxruntime'):
        load_runner(tmp_path / 'text.onnx')


def test_openvino_says_which_files_it_runs(script_file: Path) -> None:
    with pytest.raises(ConfigError, match=r'OpenVINO runs an \.onnx file, and .*hand\.ts is none: write one'):
        OpenVINORunner(script_file)


def test_missing_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: torch.nn.Module) -> None:
    file = tmp_path / 'a.onnx'
    file.touch()
    for package in ('onnxruntime', 'openvino', 'onnx'):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=r'needs onnxruntime.*pip install "mmdualhand\[export\]"'):
        OnnxRunner(file)
    with pytest.raises(MissingPackageError, match='needs openvino'):
        OpenVINORunner(file)
    with pytest.raises(MissingPackageError, match='writing ONNX needs onnx'):
        export_network(model, [tmp_path / 'hand.onnx'])
    assert [one.name for one in tmp_path.iterdir()] == ['a.onnx']


def test_wrong_crops(script_file: Path) -> None:
    runner = load_runner(script_file)
    with pytest.raises(ConfigError, match='the crops are 48 x 64 pixels, the network takes 64 x 48'):
        runner(np.zeros((1, 64, 48, 3), np.uint8))
    with pytest.raises(ValueError, match='crops must be uint8'):
        runner(np.zeros((1, 48, 64, 3), np.float32))
