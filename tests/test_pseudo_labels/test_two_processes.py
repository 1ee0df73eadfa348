"""Two processes: they fill one bank, and select as one process with the whole batch does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from mmdualhand.errors import ConfigError
from mmdualhand.pseudo_labels import PseudoLabelBank, Quantile, rows_of_rank

SIZE = 7
BATCHES = torch.rand(4, 6, generator=torch.Generator().manual_seed(3))


def work(rank: int, folder: str) -> None:
    dist.init_process_group('gloo', init_method=f'file://{folder}/init', rank=rank, world_size=2)
    path = Path(folder) / 'labels.bank'
    bank = PseudoLabelBank.shared(path, 'STB', SIZE)
    rows = list(rows_of_rank(SIZE))
    labels = np.zeros((len(rows), 21, 3)) + np.array(rows)[:, None, None]
    bank.write(0, rows, [str(row) for row in rows], labels, np.full(len(rows), rank), np.ones(len(rows)))
    bank.publish(0)
    seen = bank.read(range(SIZE), [str(row) for row in range(SIZE)])
    try:
        PseudoLabelBank.shared(path, 'H3D', SIZE)
        refused = False
    except ConfigError:
        refused = True
    gate = Quantile(keep=0.5, window=9)
    weights = [gate(batch[3 * rank : 3 * rank + 3]) for batch in BATCHES]
    got = dict(labels=seen.labels[:, 0, 0].tolist(), weight=seen.weight.tolist(), refused=refused)
    torch.save(dict(got, rows=rows, gate=gate.state_dict(), weights=weights), Path(folder) / f'{rank}.pt')
    dist.destroy_process_group()


def test_two_processes(tmp_path):
    mp.start_processes(work, args=(str(tmp_path),), nprocs=2, start_method='fork')
    first, second = (torch.load(tmp_path / f'{rank}.pt') for rank in range(2))
    assert first['rows'] == [0, 2, 4, 6] and second['rows'] == [1, 3, 5]
    for got in (first, second):
        assert got['labels'] == list(range(SIZE)) and got['weight'] == [0, 1, 0, 1, 0, 1, 0]
        assert got['refused']
    gate = Quantile(keep=0.5, window=9)
    for step, batch in enumerate(BATCHES):
        both = torch.cat([first['weights'][step], second['weights'][step]])
        assert torch.equal(both, gate(batch))
    for key, value in gate.state_dict().items():
        assert torch.equal(first['gate'][key], value) and torch.equal(second['gate'][key], value)
