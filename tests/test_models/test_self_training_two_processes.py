"""Two processes with half the batch each have loss and gradients of one with the whole, in both stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from mmdualhand.engine.labels import LabelMemory, LabelSource
from mmdualhand.pseudo_labels import AveragedLabels
from mmdualhand.registry import MODELS
from mmdualhand.testing import tiny_batch, tiny_estimator

SIZE, ROWS, STEPS = 64, 4, 2


def build(stage: int) -> Any:
    torch.manual_seed(0)
    config = tiny_estimator(size=SIZE)
    if stage == 2:
        for key in ('projector', 'contrast'):
            config.pop(key)
        streams = dict(source=dict(), target=dict())
        config.update(
            type='SelfTrainingEstimator',
            data_preprocessor=dict(type='StreamDataPreprocessor', streams=streams),
        )
    model = MODELS.build(config)
    torch.manual_seed(1)  # heat maps that are not flat, and hands in front of the camera
    for part in (model.head.final, *(m for m in model.head.deconv if hasattr(m, 'stride'))):
        torch.nn.init.normal_(part.weight, std=0.05)
    if stage == 2:
        labeler = AveragedLabels(model.codec, selector=dict(type='Quantile', keep=0.5, window=6))
        model.labeler = LabelSource(labeler.train(), LabelMemory(ROWS, (SIZE, SIZE), torch.device('cpu')))
    return model.eval()  # batch statistics would be those of half a batch


def halves(batch: dict[str, Any], rows: slice) -> dict[str, Any]:
    parts = {part: {k: v[rows] for k, v in batch[part].items()} for part in ('inputs', 'targets')}
    return {**parts, 'data_samples': None}


def prepare(model: Any, stage: int, step: int, rows: slice) -> dict[str, Any]:
    """Network inputs without random texture; the augmented view of stage 1 is a darker one."""
    if stage == 2:
        streams = {
            'source': halves(tiny_batch(ROWS, SIZE, seed=step), rows),
            'target': halves(tiny_batch(ROWS, SIZE, seed=9), rows),
        }
        return model.data_preprocessor(streams, False)
    data = model.data_preprocessor(halves(tiny_batch(ROWS, SIZE, seed=step), rows), False)
    for key, factor in (('rgb', 0.7), ('depth', 0.9)):
        data['inputs'][key] = torch.cat([data['inputs'][key], factor * data['inputs'][key]])
    data['inputs']['views'] = 2
    return data


def run(stage: int, rows: slice) -> dict[str, Any]:
    """Losses and gradients of the second step: the first one fills windows and memories."""
    model = build(stage)
    for step in range(STEPS):
        model.zero_grad()
        out = model(**prepare(model, stage, step, rows), mode='loss')
        losses = {key: value for key, value in out.items() if 'loss' in key}
        torch.stack(list(losses.values())).sum().backward()
    result: dict[str, Any] = {'losses': {key: value.detach() for key, value in losses.items()}}
    result['grad'] = {name: p.grad for name, p in model.named_parameters()}
    if stage == 2:
        result['memory'] = model.labeler.memory.labels
        result['means'] = model.labeler.means.take()
    return result


def work(rank: int, folder: str, stage: int) -> None:
    dist.init_process_group('gloo', init_method=f'file://{folder}/init', rank=rank, world_size=2)
    half = ROWS // 2
    result = run(stage, slice(half * rank, half * (rank + 1)))
    for values in (result['losses'], result['grad']):
        for value in values.values():
            dist.all_reduce(value)
            value /= 2
    torch.save(result, Path(folder) / f'{rank}.pt')
    dist.destroy_process_group()


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-5, atol=1e-5 * max(1.0, float(other.abs().max())))


@pytest.mark.parametrize('stage', [1, 2])
def test_two_processes_are_one(stage, tmp_path):
    torch.set_num_threads(1)
    mp.spawn(work, args=(str(tmp_path), stage), nprocs=2)
    first, second = (torch.load(tmp_path / f'{rank}.pt') for rank in range(2))
    whole = run(stage, slice(0, ROWS))
    assert {'loss_contrast'} <= set(whole['losses']) if stage == 1 else whole['means']['accepted'][0] > 0
    for name, value in whole['losses'].items():
        assert close(first['losses'][name], value), name
    for name, value in whole['grad'].items():
        assert close(first['grad'][name], value), name
        assert torch.equal(first['grad'][name], second['grad'][name])
    if stage == 2:
        assert torch.equal(first['memory'], second['memory']) and first['memory'].isfinite().all()
        assert torch.allclose(first['memory'], whole['memory'], atol=1e-3)
        # the spread of the predictions is that within the batch of one process
        for name in whole['means'].keys() - {'pose_std'}:
            assert first['means'][name] == pytest.approx(whole['means'][name], rel=1e-4, abs=1e-6), name
        assert first['means'] == second['means']
