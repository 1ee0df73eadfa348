"""A benchmark says of an exported file what it says of the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mmdualhand.apis.evaluate import evaluate, set_crop
from mmdualhand.apis.export.estimator import ExportedEstimator
from mmdualhand.apis.export.runners import load_runner
from mmdualhand.apis.export.write import export_network
from mmdualhand.apis.model_zoo import get_config
from mmdualhand.cli import test as command
from mmdualhand.errors import ConfigError
from mmdualhand.registry import MODELS
from mmdualhand.testing.batches import tiny_batch, tiny_estimator
from tests.fixtures.random_networks import unsettle

SIZE = (64, 48)
FLAT = dict(
    type='HeatmapEstimator',
    backbone=dict(type='DualResNet', depth=18, base_channels=4, branches=('rgb',)),
    head=dict(type='HeatmapHead', deconv_channels=(8, 8, 8), codec=dict(type='Heatmap', input_size=SIZE)),
)
SERIAL = dict(num_workers=0, persistent_workers=False)


@pytest.fixture
def benchmark_config(rhd_root: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv('HAND_DATA', str(rhd_root.parent))
    cfg = get_config('benchmarks/rhd')
    cfg.test_dataloader.update(SERIAL)
    set_crop(cfg, SIZE)
    return cfg


def network(config: dict[str, Any]) -> Any:
    return unsettle(MODELS.build(config))


def test_metrics_of_a_network_and_its_file(benchmark_config: Config, tmp_path: Path) -> None:
    model = network(tiny_estimator(size=SIZE))
    export_network(model, [tmp_path / 'hand.ts'])
    expected = evaluate(model, benchmark_config)
    found = evaluate(ExportedEstimator(load_runner(tmp_path / 'hand.ts')), benchmark_config)
    assert found.metrics == pytest.approx(expected.metrics, abs=1e-3)
    assert found.metrics['EPE'] > 10 and set(found.metrics) >= {'PCK@0.05', 'EPE', 'EPE_PA', 'AUC'}
    assert found.per_sample_epe == pytest.approx(expected.per_sample_epe, abs=0.011)
    assert found.protocol == expected.protocol


def test_solved_root_depth(benchmark_config: Config, tmp_path: Path) -> None:
    config = tiny_estimator(size=SIZE)
    model = network(config)
    export_network(model, [tmp_path / 'hand.ts'])
    solving = MODELS.build({**config, 'test_cfg': dict(root_depth='solve')})
    solving.load_state_dict(model.state_dict())
    expected = evaluate(solving, benchmark_config)
    found = evaluate(ExportedEstimator(load_runner(tmp_path / 'hand.ts'), 'solve'), benchmark_config)
    assert found.metrics['EPE'] == pytest.approx(expected.metrics['EPE'], rel=1e-3)
    assert 'root_depth=solve' in found.protocol[1]


def test_two_dimensions(benchmark_config: Config, tmp_path: Path) -> None:
    model = network(FLAT)
    export_network(model, [tmp_path / 'hand.ts'])
    runner = load_runner(tmp_path / 'hand.ts')
    expected = evaluate(model, benchmark_config)
    found = evaluate(ExportedEstimator(runner), benchmark_config)
    assert set(found.metrics) == {'PCK@0.05'}
    assert found.metrics == pytest.approx(expected.metrics)
    with pytest.raises(ConfigError, match="root_depth='solve' has no meaning for a network of 2D heat maps"):
        ExportedEstimator(runner, 'solve')


def test_it_cannot_be_trained(tmp_path: Path) -> None:
    export_network(network(tiny_estimator()), [tmp_path / 'hand.ts'])
    estimator = ExportedEstimator(load_runner(tmp_path / 'hand.ts'))
    batch = estimator.data_preprocessor(tiny_batch(2))
    with pytest.raises(ConfigError, match='cannot be trained'):
        estimator(**batch, mode='loss')
    assert not list(estimator.parameters())


def test_the_command(
    rhd_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('HAND_DATA', str(rhd_root.parent))
    file = tmp_path / 'hand.ts'
    export_network(network(tiny_estimator(size=SIZE)), [file])
    arguments = ['benchmarks/rhd', str(file), '--out', str(tmp_path / 'metrics.json')]
    serial = ['test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False']
    assert command.main([*arguments, '--cfg-options', *serial]) == 0
    record = json.loads((tmp_path / 'metrics.json').read_text(encoding='utf-8'))
    assert record['checkpoint'] == str(file) and record['dataset']['embedded'] is True
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1].startswith('PCK@0.05: ') and f'EPE: {record["metrics"]["EPE"]:.4f}' in printed[-1]
    assert [line.split(':')[0] for line in printed[-4:-1]] == ['PCK', 'EPE', 'AUC']


def test_options_that_need_the_checkpoint(tmp_path: Path) -> None:
    arguments = [
        'benchmarks/rhd',
        str(tmp_path / 'hand.onnx'),
        '--reestimate-bn',
        '--branches',
        'rgb',
        'fused',
    ]
    more = ['--cfg-options', 'model.head.num_joints=21']
    wrong = r'for --branches, --reestimate-bn, --cfg-options model\.\.\.'
    with pytest.raises(ConfigError, match=rf'hand\.onnx is an exported file.* {wrong}'):
        command.main([*arguments, *more])
