"""How often the side of a hand is guessed: by hand, as the inferencer guesses, and as a command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mmdualhand.apis import side_guesses
from mmdualhand.apis.inferencer import HandPoseInferencer
from mmdualhand.apis.model_zoo import get_config
from mmdualhand.apis.read_image import read_image
from mmdualhand.apis.side_guesses import SideGuesses, guess_sides, measure_sides, side_table
from mmdualhand.cli.main import run
from mmdualhand.errors import DataError
from mmdualhand.registry import DATASETS
from mmdualhand.structures import HandDataSample
from tests.fixtures.dot_runner import DotRunner, dot_picture
from tests.fixtures.report_networks import write_checkpoint


@pytest.fixture(scope='module')
def benchmark(rhd_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Config of a benchmark with 12 hands in 6 pictures; a checkpoint beside it."""
    folder = tmp_path_factory.mktemp('sides')
    config = folder / 'benchmark.py'
    config.write_text(
        "_base_ = ['mmdualhand::benchmarks/rhd']\n"
        f'test_dataloader = dict(dataset=dict(data_root={str(rhd_root)!r}, selection=None))\n'
    )
    write_checkpoint(folder / 'epoch_1.pth', 1)
    return config


def batch(*hands: tuple[str, bool, float]) -> dict:
    """Crops with a dot at x; each with its label and whether it is mirrored."""
    crops = np.stack([dot_picture(x, 30, (64, 64)) for _, _, x in hands])
    facts = [dict(hand_side=side, mirrored=mirrored) for side, mirrored, _ in hands]
    return dict(
        inputs=dict(img=torch.from_numpy(crops).permute(0, 3, 1, 2)),
        data_samples=[HandDataSample(metainfo=fact) for fact in facts],
    )


def test_the_side_of_the_surer_crop() -> None:
    # The runner is sure (0.8) of a dot in the right half of a crop, unsure (0.2) of one in the left half.
    batches = [
        batch(('right', False, 50), ('right', False, 10), ('left', True, 50)),
        batch(('left', True, 10), ('left', False, 10), ('right', True, 10), ('left', True, 40)),
    ]
    found = guess_sides(DotRunner(), batches)
    sure = [(0.8, 0.2), (0.2, 0.8), (0.2, 0.8), (0.8, 0.2), (0.2, 0.8), (0.8, 0.2), (0.2, 0.8)]
    np.testing.assert_allclose(found.evidence, sure, atol=1e-6)
    assert found.guess.tolist() == ['right', 'left', 'left', 'right', 'left', 'right', 'left']
    assert found.counts() == {'right': (3, 2), 'left': (4, 3), 'both': (7, 5)}
    assert side_table(found).splitlines()[2:] == [
        '| right | 3 | 2 | 0.667 |',
        '| left | 4 | 3 | 0.750 |',
        '| both | 7 | 5 | 0.714 |',
    ]


def test_a_benchmark_of_one_side() -> None:
    found = guess_sides(DotRunner(), [batch(('left', True, 50))])
    assert side_table(found).splitlines()[2:] == [
        '| right | 0 | 0 | - |',
        '| left | 1 | 1 | 1.000 |',
        '| both | 1 | 1 | 1.000 |',
    ]
    nothing = guess_sides(DotRunner(), [])
    assert nothing.counts() == {'right': (0, 0), 'left': (0, 0), 'both': (0, 0)}


def test_a_tie_is_a_right_hand_as_in_the_inferencer() -> None:
    assert SideGuesses(np.array(['left']), np.array([[0.5, 0.5]])).guess.tolist() == ['right']


def test_guesses_are_those_of_the_inferencer(benchmark: Path) -> None:
    checkpoint = benchmark.parent / 'epoch_1.pth'
    cfg = get_config(str(benchmark))
    found = measure_sides(checkpoint, cfg)
    inferencer = HandPoseInferencer(checkpoint, device='cpu')
    dataset = DATASETS.build({**cfg.test_dataloader.dataset, 'pipeline': []})
    hands = []
    for index in range(len(dataset)):
        record = dataset.load_record(index)
        joints = record['keypoints_2d']
        box = np.concatenate([joints.min(0), joints.max(0)])
        (result,) = inferencer.infer(read_image(record['img_path']), boxes=box)
        hands.append((record['hand_side'], result.hands[0]))
    assert found.side.tolist() == [side for side, _ in hands]
    assert sorted(set(found.side)) == ['left', 'right']
    assert found.guess.tolist() == [hand.side for _, hand in hands]
    np.testing.assert_allclose(found.evidence.max(1), [h.raw_confidence for _, h in hands], atol=1e-5)
    np.testing.assert_allclose(np.ptp(found.evidence, axis=1), [h.side_score for _, h in hands], atol=1e-5)
    some = measure_sides(checkpoint, cfg, limit=5)
    assert len(some.side) == 5
    assert np.abs(some.evidence[:, None] - found.evidence[None]).max(-1).min(1).max() < 1e-5


def test_confidences_that_are_not_finite(benchmark: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(DotRunner):
        def __init__(self, path: object) -> None:
            super().__init__()

        def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
            return {'confidence_raw': np.full((len(crops), 21), np.nan)}

    monkeypatch.setattr(side_guesses, 'TorchRunner', Broken)
    with pytest.raises(DataError, match=r'epoch_1\.pth gives confidences that are not finite'):
        measure_sides(benchmark.parent / 'epoch_1.pth', get_config(str(benchmark)))


def test_the_command(benchmark: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = str(benchmark.parent / 'epoch_1.pth')
    assert run('measure-sides', [str(benchmark), checkpoint, '--limit', '6']) == 0
    table = side_table(measure_sides(checkpoint, get_config(str(benchmark)), limit=6))
    assert table in capsys.readouterr().out and '| both | 6 |' in table


@pytest.mark.parametrize(
    ('config', 'checkpoint', 'options', 'words'),
    [
        (None, 'epoch_1.pth', ['--limit', '0'], '--limit must be 1 or more, got 0'),
        (None, 'none.pth', [], 'none.pth is not there'),
        ('benchmarks/rdh', 'epoch_1.pth', [], 'neither a config file nor the name'),
        ('_base_/schedules/finetune_6e', 'epoch_1.pth', [], 'has no test_dataloader'),
    ],
)
def test_faults_are_one_sentence(
    benchmark: Path,
    config: str | None,
    checkpoint: str,
    options: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [config or str(benchmark), str(benchmark.parent / checkpoint), *options]
    assert run('measure-sides', arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith('mmdualhand measure-sides: ') and words in error
