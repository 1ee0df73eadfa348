"""Two processes with half the batch each are one process with the whole batch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from mmdualhand.models.losses import NTXent


def problem() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        torch.randn(8, 5, generator=generator),
        torch.randn(8, 5, generator=generator),
        torch.randn(5, 4, generator=generator),
    )


def worker(rank: int, folder: str, options: dict) -> None:
    """Half the batch in one of two processes; the averaged gradient is written by rank 0."""
    dist.init_process_group('gloo', init_method=f'file://{folder}/init', rank=rank, world_size=2)
    x, x_pos, weight = problem()
    weight.requires_grad_()
    rows = slice(4 * rank, 4 * rank + 4)
    loss = NTXent(**options)(x[rows] @ weight, x_pos[rows] @ weight)
    loss.backward()
    for value in (weight.grad, loss := loss.detach()):
        dist.all_reduce(value)
        value /= 2
    if rank == 0:
        torch.save(dict(loss=loss, grad=weight.grad), Path(folder) / 'result.pt')
    dist.destroy_process_group()


@pytest.mark.parametrize('reduction', ['mean', 'sum'])
def test_two_processes_equal_one(tmp_path, reduction):
    options = dict(reduction=reduction, symmetric=True)
    x, x_pos, weight = problem()
    weight.requires_grad_()
    expected = NTXent(**options)(x @ weight, x_pos @ weight)
    expected.backward()
    mp.spawn(worker, args=(str(tmp_path), options), nprocs=2)
    got = torch.load(tmp_path / 'result.pt', weights_only=True)
    assert torch.allclose(got['loss'], expected.detach(), atol=1e-5)
    assert torch.allclose(got['grad'], weight.grad, atol=1e-5)
