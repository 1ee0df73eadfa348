"""Timing in turns, and what is timed against."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from mmdualhand.apis.export.baseline import Baseline, PlainTopdown, topdown_baseline
from mmdualhand.apis.export.parity import made_up_crops
from mmdualhand.apis.export.runners import TorchRunner
from mmdualhand.apis.export.speed import time_rounds
from mmdualhand.cli import benchmark_export
from mmdualhand.errors import MissingFileError
from mmdualhand.models.rgb_path import rgb_path
from mmdualhand.registry import MODELS
from mmdualhand.testing import tiny_estimator
from tests.fixtures.random_networks import unsettle


def test_ratio_is_that_of_the_same_round() -> None:
    """Other work makes the machine slower from round to round; the ratio does not see it."""
    now = 0.0
    order = []
    # Seconds of each call, the warm-up first: the second form takes half as long in every round.
    costs = {'base': iter([9, 2, 4, 40]), 'half': iter([9, 1, 2, 20])}

    def run(name: str) -> None:
        nonlocal now
        order.append(name)
        now += next(costs[name])

    found = time_rounds({name: lambda name=name: run(name) for name in costs}, 3, clock=lambda: now)
    assert order == ['base', 'half'] * 4
    assert found['base'].milliseconds == 4000
    assert found['half'].milliseconds == 2000
    assert found['base'].ratio == 1
    assert found['half'].ratio == 2


def test_the_plain_network_is_that_of_simple_baseline() -> None:
    with torch.device('meta'):
        model = PlainTopdown(101)
    encoder = sum(p.numel() for p in model.backbone.parameters())
    head = sum(p.numel() for p in model.head.parameters())
    # torchvision's resnet101 has 44,549,160 parameters, 2,049,000 of them in its classifier.
    assert encoder == 44_549_160 - 2_049_000
    # Three deconvolutions of 4 x 4 without bias, their normalisations, a 1x1 convolution to 21 maps.
    assert head == 16 * 256 * (2048 + 256 + 256) + 3 * 512 + 256 * 21 + 21
    small = PlainTopdown(18, base_channels=4, width=8).eval()
    assert small(torch.zeros(2, 3, 64, 96)).shape == (2, 21, 16, 24)


def test_the_command_prints_every_form(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    small = Baseline('small', PlainTopdown(18, base_channels=4, width=8).eval())
    runner = TorchRunner(rgb_path(MODELS.build(tiny_estimator())))
    threads = torch.get_num_threads()
    monkeypatch.setattr(benchmark_export, 'topdown_baseline', lambda: small)
    monkeypatch.setattr(benchmark_export, 'init_model', lambda *args, **kwargs: None)
    monkeypatch.setattr(benchmark_export, '_forms', lambda *args: {'exported fp32': runner})
    try:
        assert benchmark_export.main(['--rounds', '2', '--batch-sizes', '3', '--clock', 'cpu']) == 0
    finally:
        torch.set_num_threads(threads)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'baseline: small'
    assert lines[1].startswith('1 thread(s), cpu time')
    assert lines[2] == 'batch 3, 64 x 64 px, 2 rounds'
    assert lines[3].split()[0] == 'small' and lines[3].endswith('1.00x')
    assert lines[4].split()[:2] == ['exported', 'fp32'] and lines[4].endswith('(goal 1.8x)')


def test_forms_of_a_machine_without_bf16(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for package in ('onnx', 'onnxscript', 'onnxruntime', 'openvino'):
        pytest.importorskip(package, reason='ONNX needs the extra export')
    monkeypatch.setattr(benchmark_export, 'openvino_has_bf16', lambda: False)
    forms = benchmark_export._forms(unsettle(MODELS.build(tiny_estimator())), tmp_path, 1)
    assert list(forms) == [
        'torch, eager', 'onnxruntime fp32', 'OpenVINO fp32', 'onnxruntime int8', 'OpenVINO int8'
    ]  # fmt: skip
    crops = made_up_crops((64, 64), 1)
    found = {name: runner(crops)['keypoints'] for name, runner in forms.items()}
    for name in ('onnxruntime', 'OpenVINO'):
        assert abs(found[f'{name} fp32'] - found['torch, eager']).max() < 0.05
        assert 1e-4 < abs(found[f'{name} int8'] - found['torch, eager']).mean() < 2


def test_wrong_pictures_are_told_before_anything_is_timed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        benchmark_export, 'init_model', lambda *args, **kwargs: MODELS.build(tiny_estimator())
    )
    with pytest.raises(MissingFileError, match='holds no pictures'):
        benchmark_export.main(['--shift-of', 'a.pth', '--pictures', str(tmp_path)])
    assert 'x: baseline over form' not in capsys.readouterr().out


def test_a_shift_that_cannot_be_told_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in ('onnx', 'onnxscript', 'onnxruntime', 'openvino'):
        pytest.importorskip(package, reason='ONNX needs the extra export')
    monkeypatch.setattr(
        benchmark_export, 'init_model', lambda *args, **kwargs: MODELS.build(tiny_estimator())
    )
    monkeypatch.setattr(benchmark_export, 'openvino_has_bf16', lambda: False)
    benchmark_export._print_shift('a.pth', None, tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'largest shift of a.pth on 8 made-up crops of 64 x 64 px:'
    assert [line.split()[:2] for line in lines[1:]] == [['bf16:', 'skipped,'], ['int8:', 'skipped,']]


def test_without_mmpose_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'mmpose', None)
    monkeypatch.setitem(sys.modules, 'mmpose.models', None)
    found = topdown_baseline(18)
    assert found.name == 'plain torch R-18, 3 deconvolutions'
    assert found.note.startswith('MMPose does not load')
