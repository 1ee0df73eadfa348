"""What a change of look costs: networks trained on either look, tested on the target's."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from mmdualhand.apis.model_zoo import get_config
from mmdualhand.apis.rendered_looks import LOOKS, LookDataset, LookSet
from mmdualhand.compat import replace_file
from mmdualhand.datasets import collate_hand_batch
from mmdualhand.engine import mixed_precision, precision_on, reestimate_batch_norm
from mmdualhand.evaluation.functional import epe
from mmdualhand.registry import MODELS
from mmdualhand.structures import INSTANCE_FIELDS

CONFIG = 'mini/pretrain_rhd'


@dataclass(frozen=True)
class GapSettings:
    """How one network of the measurement is trained.

    Attributes:
        epochs: Passes over the training scenes.
        batch_size: Pictures a step.
        learning_rate: Of Adam at the start; a cosine takes it to 2 percent.
    """

    epochs: int = 24
    batch_size: int = 16
    learning_rate: float = 1.5e-3


@dataclass(frozen=True)
class Cell:
    """One trained network.

    Attributes:
        target: Whose scenes it was trained on.
        look: ``'source'`` or ``'target'``, the look of these scenes.
        seed: Seed of weights, order, augmentation.
    """

    target: str
    look: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its file."""
        return f'{self.target}_{self.look}_{self.seed}'


def train_cell(cell: Cell, pictures: dict[str, Path], settings: GapSettings) -> dict[str, float]:
    """Train one network and test it.

    The network is the RGB branch of the mini pre-training: same network, losses,
    crop and texture augmentation as the baseline of stage 1.

    Args:
        cell: What to train.
        pictures: Files of :func:`~mmdualhand.apis.rendered_looks.render_looks`:
            ``'train/source'``, ``'train/target'``, ``'test/source'``, ``'test/target'``.
        settings: How to train.

    Returns:
        Mean errors in mm (true root depth, true |9-10|): ``own_look`` on unseen
        scenes of the look it was trained on, ``target_look`` on unseen scenes of
        the target's look, ``target_look_bn`` the same after re-estimating batch
        normalisation on the unlabelled training pictures of that look; and
        ``seconds`` of training.
    """
    torch.set_num_threads(1)
    torch.manual_seed(cell.seed)
    cfg = get_config(CONFIG)
    size = int(cfg.input_size[0])
    model = MODELS.build({**cfg.model, 'branches': ('rgb',), 'contrast': []})
    sets = {name: LookSet.load(path) for name, path in pictures.items()}
    training = LookDataset(sets[f'train/{cell.look}'], size, dict(cfg.augment), cell.seed)
    seconds = _train(model, training, settings)
    tests = {look: LookDataset(sets[f'test/{look}'], size) for look in LOOKS}
    errors = {
        'own_look': _measure(model, tests[cell.look]),
        'target_look': _measure(model, tests['target']),
    }
    reestimate_batch_norm(model, _batches(LookDataset(sets['train/target'], size), drop_last=True))
    errors['target_look_bn'] = _measure(model, tests['target'])
    return {**errors, 'seconds': seconds}


def _train(model: Any, dataset: LookDataset, settings: GapSettings) -> float:
    start = time.perf_counter()
    order = torch.Generator().manual_seed(dataset.seed)
    loader = DataLoader(
        dataset,
        settings.batch_size,
        shuffle=True,
        drop_last=True,
        collate_fn=collate_hand_batch,
        generator=order,
    )
    optimizer = torch.optim.Adam(model.parameters(), settings.learning_rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, settings.epochs * len(loader), 0.02 * settings.learning_rate
    )
    model.train()
    for dataset.epoch in range(settings.epochs):
        for batch in loader:
            data = model.data_preprocessor(batch, training=True)
            with mixed_precision('cpu'):
                losses = model(**data, mode='loss')
            optimizer.zero_grad()
            torch.stack(list(losses.values())).sum().backward()
            optimizer.step()
            schedule.step()
    return time.perf_counter() - start


def _batches(dataset: LookDataset, drop_last: bool = False) -> DataLoader:
    size = min(50, len(dataset))
    return DataLoader(dataset, size, drop_last=drop_last, collate_fn=collate_hand_batch)


@torch.no_grad()
def _measure(model: Any, dataset: LookDataset) -> float:
    """EPE of the RGB branch, mm."""
    model.eval()
    predicted, true = [], []
    for batch in _batches(dataset):
        data = model.data_preprocessor(batch, training=False)
        for sample in model(**data, mode='predict'):
            predicted.append(np.asarray(getattr(sample, INSTANCE_FIELDS['rgb']).keypoints_3d[0]))
            true.append(np.asarray(sample.gt_instances.keypoints_3d[0]))
    return float(epe(np.stack(predicted).astype(np.float64), np.stack(true).astype(np.float64)))


def run_cells(
    cells: Sequence[Cell],
    pictures: dict[str, dict[str, Path]],
    settings: GapSettings,
    *,
    folder: Path,
    workers: int,
    on_cell: Callable[[Cell, dict[str, float]], None] | None = None,
) -> dict[Cell, dict[str, float]]:
    """Train many networks, one thread each, and keep what is finished.

    Args:
        cells: What to train.
        pictures: For every target the files that :func:`train_cell` wants.
        settings: How to train.
        folder: Where each finished cell is kept as a small JSON file; one that is
            there from the same settings and pictures is not run again.
        workers: Networks trained at a time.
        on_cell: Called with every cell and its errors.

    Returns:
        The errors of every cell.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done: dict[Cell, dict[str, float]] = {}
    missing = []
    for cell in cells:
        kept = _read_cell(folder / f'{cell.name}.json', _origin(cell, pictures, settings))
        if kept is None:
            missing.append(cell)
        else:
            done[cell] = kept
            if on_cell is not None:
                on_cell(cell, kept)
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = {pool.submit(train_cell, cell, pictures[cell.target], settings): cell for cell in missing}
        for future in as_completed(futures):
            cell = futures[future]
            done[cell] = future.result()
            _write_cell(folder / f'{cell.name}.json', done[cell], _origin(cell, pictures, settings))
            if on_cell is not None:
                on_cell(cell, done[cell])
    return {cell: done[cell] for cell in cells}


def _origin(cell: Cell, pictures: dict[str, dict[str, Path]], settings: GapSettings) -> dict[str, Any]:
    files = sorted(path.name for path in pictures[cell.target].values())
    return {**asdict(cell), **asdict(settings), 'pictures': files, 'precision': precision_on('cpu')}


def _read_cell(path: Path, origin: dict[str, Any]) -> dict[str, float] | None:
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding='utf-8'))
    return dict(content['errors']) if content['origin'] == origin else None


def _write_cell(path: Path, errors: dict[str, float], origin: dict[str, Any]) -> None:
    partial = path.with_name(f'.{path.name}.partial')
    partial.write_text(json.dumps({'origin': origin, 'errors': errors}, indent=2) + '\n', encoding='utf-8')
    replace_file(partial, path)


@dataclass(frozen=True)
class GapRow:
    """The measurement of one target; every value is (mean, spread) over the seeds, mm or a ratio.

    Attributes:
        target: Its name.
        source_to_source: Error of the source-look network on unseen source-look scenes.
        source_to_target: Its error on the target's look.
        source_to_target_bn: The same after re-estimating batch normalisation.
        oracle: Error of the target-look network on the target's look.
        oracle_bn: The same after re-estimating batch normalisation.
        gap: (source_to_target - oracle) / oracle.
        gap_bn: The gap that re-estimated batch normalisation leaves.
        oracle_ratio: oracle / source_to_source.
    """

    target: str
    source_to_source: tuple[float, float]
    source_to_target: tuple[float, float]
    source_to_target_bn: tuple[float, float]
    oracle: tuple[float, float]
    oracle_bn: tuple[float, float]
    gap: tuple[float, float]
    gap_bn: tuple[float, float]
    oracle_ratio: tuple[float, float]


def gap_row(target: str, results: dict[Cell, dict[str, float]]) -> GapRow:
    """Put the cells of one target together; seeds are paired.

    Args:
        target: Name of the target.
        results: Errors of its cells, both looks of every seed.

    Returns:
        Means and standard deviations over the seeds.
    """
    seeds = sorted({cell.seed for cell in results if cell.target == target})
    value = {
        (look, key): np.array([results[Cell(target, look, seed)][key] for seed in seeds])
        for look in LOOKS
        for key in ('own_look', 'target_look', 'target_look_bn')
    }
    source, adapted = value['source', 'target_look'], value['source', 'target_look_bn']
    oracle, plain = value['target', 'target_look'], value['source', 'own_look']
    return GapRow(
        target, _spread(plain), _spread(source), _spread(adapted), _spread(oracle),
        _spread(value['target', 'target_look_bn']), _spread((source - oracle) / oracle),
        _spread((adapted - oracle) / oracle), _spread(oracle / plain),
    )  # fmt: skip


def _spread(values: Iterable[float]) -> tuple[float, float]:
    array = np.array(list(values), np.float64)
    return float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else 0.0


def gap_table(rows: Sequence[GapRow]) -> str:
    """Markdown table of the rows: EPE in mm, mean and standard deviation over the seeds."""
    lines = [
        '| target | source look to source look | source look to target look | ... BN re-estimated | '
        'target look to target look | ... BN re-estimated | gap | gap after BN | oracle / source |',
        f'|---|{"---|" * 8}',
    ]
    for row in rows:
        measured = (row.source_to_source, row.source_to_target, row.source_to_target_bn)
        cells = [f'{mean:.1f} +- {spread:.1f}' for mean, spread in (*measured, row.oracle, row.oracle_bn)]
        cells += [f'{100 * mean:.0f} +- {100 * spread:.0f} %' for mean, spread in (row.gap, row.gap_bn)]
        cells.append(f'{row.oracle_ratio[0]:.2f} +- {row.oracle_ratio[1]:.2f}')
        lines.append(f'| {row.target} | {" | ".join(cells)} |')
    return '\n'.join(lines)
