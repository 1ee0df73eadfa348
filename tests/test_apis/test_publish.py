"""A published checkpoint: weights, network and calibration, and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from mmdualhand.apis.export.runners import TorchRunner
from mmdualhand.apis.load_model import init_model
from mmdualhand.apis.publish import publish_model
from mmdualhand.cli.publish_model import main
from mmdualhand.errors import ConfigError, DataError, MissingFileError, UnsafeFileError
from mmdualhand.evaluation.calibration import Calibration
from mmdualhand.models.rgb_path import rgb_path
from mmdualhand.registry import MODELS
from mmdualhand.testing.batches import tiny_estimator
from tests.fixtures.random_networks import unsettle

CALIBRATION = Calibration(2.0, tuple([0.5] * 21))


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training leaves: weights, optimiser, history and the config with paths."""
    backbone = dict(type='DualResNet', depth=18, base_channels=4)
    config = tiny_estimator({**backbone, 'init_cfg': dict(type='Pretrained', checkpoint='here/resnet.pth')})
    model = unsettle(MODELS.build(tiny_estimator(backbone)))
    content = {
        'meta': {
            'model': config, 'epoch': 3, 'iter': 30, 'custom_imports': [], 'seed': 1,
            'cfg': "data_root = 'here/data'", 'time': 'today', 'dataset_meta': {'root': 'here'},
        },
        'state_dict': model.state_dict(),
        'optimizer': {'state': {0: {'exp_avg': torch.zeros(100_000)}}},
        'message_hub': {'log': torch.zeros(10)},
        'param_schedulers': [],
        'pseudo_labels': {'pose': torch.zeros(5)},
    }  # fmt: skip
    file = tmp_path_factory.mktemp('training') / 'epoch_3.pth'
    torch.save(content, file)
    return file


def predict(file: Path) -> np.ndarray:
    crops = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    return TorchRunner(rgb_path(init_model(file, device='cpu')))(crops)['pose25d']


def test_what_is_in_it(checkpoint: Path, tmp_path: Path) -> None:
    file = publish_model(checkpoint, tmp_path / 'deep' / 'hand.pth')
    assert file.parent == tmp_path / 'deep'
    digits = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    assert file.name == f'hand-{digits}.pth'
    content = torch.load(file, weights_only=True)
    assert set(content) == {'meta', 'state_dict'}
    assert set(content['meta']) == {'model', 'epoch', 'iter', 'mmdualhand_version'}
    assert content['meta']['model']['backbone']['init_cfg'] is None
    assert content['meta']['model']['backbone']['depth'] == 18
    assert b'here' not in file.read_bytes()
    state = torch.load(checkpoint, weights_only=True)['state_dict']
    assert all(torch.equal(value, state[name]) for name, value in content['state_dict'].items())
    assert list(content['state_dict']) == list(state)


def test_it_predicts_the_same(checkpoint: Path, tmp_path: Path) -> None:
    before = predict(checkpoint)
    assert np.array_equal(predict(publish_model(checkpoint, tmp_path / 'a')), before)
    assert before[..., :2].std() > 0.1


def test_the_same_weights_give_the_same_file(checkpoint: Path, tmp_path: Path) -> None:
    first = publish_model(checkpoint, tmp_path / 'a' / 'hand')
    again = publish_model(first, tmp_path / 'b' / 'hand')
    assert first.name == again.name
    assert first.read_bytes() == again.read_bytes()
    assert publish_model(first, tmp_path / 'c' / 'other.pth').name == first.name.replace('hand', 'other')


def test_the_calibration_goes_with_it(checkpoint: Path, tmp_path: Path) -> None:
    CALIBRATION.save(tmp_path / 'calibration.json')
    file = publish_model(checkpoint, tmp_path / 'a', calibration=tmp_path / 'calibration.json')
    carried = torch.load(file, weights_only=True)['meta']['calibration']
    assert Calibration.from_dict(carried) == CALIBRATION
    again = publish_model(file, tmp_path / 'a')
    assert again == file
    (tmp_path / 'broken.json').write_text('[]')
    with pytest.raises((ConfigError, DataError), match='broken.json'):
        publish_model(checkpoint, tmp_path / 'b', calibration=tmp_path / 'broken.json')


def test_the_command(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(checkpoint), '--out', str(tmp_path / 'hand.pth')]) == 0
    (file,) = tmp_path.iterdir()
    assert capsys.readouterr().out.startswith(f'{file}: ')
    assert file.stat().st_size < checkpoint.stat().st_size - 400_000


def test_what_cannot_be_published(checkpoint: Path, tmp_path: Path) -> None:
    content = torch.load(checkpoint, weights_only=True)
    nameless = tmp_path / 'nameless.pth'
    torch.save({'state_dict': content['state_dict']}, nameless)
    with pytest.raises(ConfigError, match=r'nameless\.pth does not name a network.*--config'):
        publish_model(nameless)
    with pytest.raises(ConfigError, match='benchmarks/rhd does not name a network'):
        publish_model(nameless, config='benchmarks/rhd')
    with pytest.raises(ConfigError, match='belongs to another network'):
        publish_model(nameless, config='pretrain_rhd')
    torch.save({'meta': content['meta'], 'weights': 1}, nameless)
    with pytest.raises(ConfigError, match='no state_dict of tensors'):
        publish_model(nameless)
    with pytest.raises(MissingFileError, match='nothing'):
        publish_model(tmp_path / 'nothing.pth')
    nameless.write_text('text')
    with pytest.raises(UnsafeFileError, match='damaged'):
        publish_model(nameless)
    assert [file.name for file in tmp_path.iterdir()] == ['nameless.pth']
