"""``mmdualhand export`` on a checkpoint, with TorchScript, which needs no further package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmdualhand import compat
from mmdualhand.apis.export.parity import made_up_crops
from mmdualhand.apis.export.runners import TorchRunner, load_runner
from mmdualhand.apis.load_model import init_model
from mmdualhand.cli import export
from mmdualhand.errors import ConfigError, DataError, UnsafeFileError
from mmdualhand.evaluation.calibration import Calibration
from mmdualhand.models.rgb_path import rgb_path
from mmdualhand.registry import MODELS
from mmdualhand.testing.batches import tiny_estimator
from tests.fixtures.random_networks import unsettle


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    config = tiny_estimator()
    file = tmp_path / 'epoch_1.pth'
    torch.save({'meta': {'model': config}, 'state_dict': unsettle(MODELS.build(config)).state_dict()}, file)
    return file


@pytest.fixture
def restore_trust() -> Iterator[None]:
    yield
    compat.apply_patches()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / 'pictures'
    folder.mkdir()
    gradient = np.repeat(np.arange(128, dtype=np.uint8)[None, :, None], 64, 0) * np.ones(3, np.uint8)
    cv2.imwrite(str(folder / 'wide.png'), gradient)
    (folder / 'broken.png').write_text('no picture')
    return folder


def test_export(checkpoint: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calibration = Calibration(1.5, tuple([0.25] * 21))
    calibration.save(tmp_path / 'calibration.json')
    out = tmp_path / 'new' / 'hand.ts'
    status = export.main(
        [str(checkpoint), '--out', str(out), '--pictures', str(pictures), '--calibration',
         str(tmp_path / 'calibration.json')]
    )  # fmt: skip
    assert status == 0
    text = capsys.readouterr().out
    assert 'over all joints, on 1 pictures' in text
    assert 'folded, torch' in text and '.ts, batch 3' in text and '(allowed 0.05, then 0.01)' in text
    assert [file.name for file in out.parent.iterdir()] == ['hand.ts']
    runner = load_runner(out)
    assert runner.facts.source == 'epoch_1.pth'
    assert Calibration.from_dict(runner.facts.calibration) == calibration
    crops = export.read_crops(str(pictures), (64, 64))
    expected = TorchRunner(rgb_path(init_model(checkpoint, device='cpu')))(crops)
    np.testing.assert_allclose(runner(crops)['keypoints'], expected['keypoints'], atol=0.01)


def test_int8(checkpoint: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for package in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(package, reason='ONNX needs the extra export')
    out = tmp_path / 'new' / 'hand.int8.onnx'
    arguments = [str(checkpoint), '--out', str(out), '--pictures', str(pictures)]
    with pytest.raises(DataError, match=r'has 1 picture.*need 10.*80 are used'):
        export.main(arguments)
    assert not out.parent.exists()
    for number in range(40):
        cv2.imwrite(str(pictures / f'{number}.png'), made_up_crops((64, 64), 1, seed=number)[0])
    assert export.main(arguments) == 0
    text = capsys.readouterr().out
    assert 'over all joints, on 9 pictures' in text  # 41, every fifth from the first
    assert '.int8.onnx ' in text and '(mean 0.' in text
    assert [file.name for file in out.parent.iterdir()] == ['hand.int8.onnx']


def test_every_fifth_picture_is_compared() -> None:
    crops = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1)
    compared, ranges = export.split_crops(crops, 'photos')
    assert compared.ravel().tolist() == [0, 5, 10]
    assert ranges.ravel().tolist() == [1, 2, 3, 4, 6, 7, 8, 9, 11]


def test_a_config_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'is a config, its network is untrained: add --checkpoint'):
        export.main(['mini/pretrain_rhd', '--out', str(tmp_path / 'hand.ts')])
    assert list(tmp_path.iterdir()) == []


def test_trust_checkpoint(checkpoint: Path, tmp_path: Path, restore_trust: None) -> None:
    content = torch.load(checkpoint, weights_only=True)
    torch.save({**content, 'written': Path('somewhere')}, tmp_path / 'other.pth')
    arguments = [str(tmp_path / 'other.pth'), '--out', str(tmp_path / 'hand.ts')]
    with pytest.raises(UnsafeFileError, match='--trust-checkpoint'):
        export.main(arguments)
    assert export.main([*arguments, '--trust-checkpoint']) == 0
    assert (tmp_path / 'hand.ts').is_file()


def test_pictures_are_shrunk_as_a_whole(pictures: Path) -> None:
    (crop,) = export.read_crops(str(pictures), (64, 64))
    assert crop.shape == (64, 64, 3)
    assert not crop[:15].any() and not crop[-15:].any()  # black above and below
    np.testing.assert_allclose(crop[32, 1:-1, 0], np.arange(1, 63) * 2 + 0.5, atol=1)


def test_no_picture_can_be_read(pictures: Path) -> None:
    (pictures / 'wide.png').unlink()
    with pytest.raises(DataError, match='none of the pictures'):
        export.read_crops(str(pictures), (64, 64))
