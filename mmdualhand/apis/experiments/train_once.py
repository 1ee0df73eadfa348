"""One training, once: begun, gone on with after an interruption, or found finished."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.runner import Runner

from mmdualhand import compat
from mmdualhand.apis.experiments.cells import code_version, read_result, versions, write_json
from mmdualhand.apis.experiments.configs import load_in_process, training_config
from mmdualhand.apis.experiments.definitions import Training
from mmdualhand.apis.experiments.origin import difference, training_origin
from mmdualhand.apis.experiments.watch import PROGRESS, CostHook, ProgressHook
from mmdualhand.apis.run_config import check_data
from mmdualhand.apis.training_config import check_pretrained
from mmdualhand.engine import precision_on
from mmdualhand.errors import ConfigError, MissingFileError

RECORD = 'training.json'
"""File beside the last checkpoint that says what it is."""
_CHECKPOINTS = 'epoch_*.pth'
_BEST = 'best_*_epoch_*.pth'


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes:
        checkpoint: Its last checkpoint, or the one that ``best_on`` chose.
        record: ``origin``, ``steps``, ``seconds`` and ``cpu_seconds`` of its own and,
            as ``chain_...``, with those of the trainings that it starts from,
            ``threads`` of its process, its ``precision`` (``'bf16'`` or ``'fp32'``), ``commit``,
            ``versions``.
    """

    checkpoint: Path
    record: dict[str, Any]


def find_trained(training: Training, work_dir: Path) -> Trained | None:
    """A training that is finished and belongs to today's config and data; None otherwise.

    Args:
        training: Which.
        work_dir: Folder with a folder for every training.

    Raises:
        ConfigError: Its config is wrong.
        DataError: Its record is broken.
    """
    folder = work_dir / training.key
    record = read_result(folder / RECORD)
    if record is None or not record.get('checkpoint'):
        return None
    checkpoint = folder / record['checkpoint']
    if difference(record['origin'], training_origin(training)) or not checkpoint.is_file():
        return None
    return Trained(checkpoint, record)


def train_once(training: Training, work_dir: Path, *, parent: int | None = None) -> Trained:
    """Train, unless it is done; a run that was interrupted goes on from its last epoch.

    Args:
        training: What to train; its start is finished.
        work_dir: Folder with a folder for every training.
        parent: Process with which this one ends; None for none.

    Returns:
        The checkpoint that counts and its record.

    Raises:
        ConfigError: The config is wrong, or the folder belongs to something else.
        DataError: Its record is broken.
        MissingFileError: The data, or the training that it starts from, is not there.
    """
    done = find_trained(training, work_dir)
    if done is not None:
        print(f'{training.key} is trained already', flush=True)
        return done
    folder = work_dir / training.key
    start = None if training.start is None else find_trained(training.start, work_dir)
    if training.start is not None and start is None:
        raise MissingFileError(f'{training.key} starts from {training.start.key}, which is not trained yet')
    origin = training_origin(training)
    resume_from = _begin(folder, origin)
    cfg = training_config(training)
    cfg.work_dir = str(folder)
    if start is not None:
        cfg.load_from = str(start.checkpoint)
    if resume_from is not None:
        print(f'{training.key} goes on from {resume_from}', flush=True)
        cfg.load_from, cfg.resume = str(resume_from), True
    load_in_process(cfg)
    compat.apply_patches()
    check_data(cfg, 'train_dataloader')
    check_pretrained(cfg.model)
    runner, cost = Runner.from_cfg(cfg), CostHook()
    runner.register_hook(cost)
    runner.register_hook(ProgressHook(folder / PROGRESS, parent))
    runner.train()
    checkpoint = _best_checkpoint(folder) if training.best_on else _last_checkpoint(folder)
    if checkpoint is None:
        raise ConfigError(f'{training.config} trained for no epoch: train_cfg.max_epochs must be 1 or more')
    record = _record(origin, checkpoint, runner, cost, start)
    write_json(folder / RECORD, record)
    (folder / PROGRESS).unlink(missing_ok=True)
    return Trained(checkpoint, record)


def _begin(folder: Path, origin: dict[str, Any]) -> Path | None:
    """Make the folder ready; give the checkpoint to go on from, if any."""
    record = read_result(folder / RECORD)
    if record is None:
        if folder.is_dir() and list(folder.glob('*.pth')):
            raise ConfigError(
                f'{folder} holds checkpoints without {RECORD}, so they are of another run: remove the '
                'folder or choose another --work-dir'
            )
    elif reason := difference(record['origin'], origin):
        print(f'{folder} was made from something else, {reason} differs: it is made anew', flush=True)
        shutil.rmtree(folder)
    write_json(folder / RECORD, {'origin': origin, 'checkpoint': None})
    return _last_checkpoint(folder)


def _last_checkpoint(folder: Path) -> Path | None:
    return max(folder.glob(_CHECKPOINTS), key=lambda file: int(file.stem.split('_')[1]), default=None)


def _best_checkpoint(folder: Path) -> Path | None:
    """The one that the checkpoint hook keeps as the best; it never keeps two for long."""
    return max(folder.glob(_BEST), key=lambda file: file.stat().st_mtime_ns, default=None)


def _record(
    origin: dict[str, Any], checkpoint: Path, runner: Runner, cost: CostHook, start: Trained | None
) -> dict[str, Any]:
    before = {} if start is None else start.record
    return {
        'origin': origin,
        'checkpoint': checkpoint.name,
        'steps': int(runner.iter),
        'epochs': int(runner.epoch),
        'seconds': round(cost.seconds, 1),
        'cpu_seconds': round(cost.cpu_seconds, 1),
        'chain_seconds': round(cost.seconds + before.get('chain_seconds', 0.0), 1),
        'chain_cpu_seconds': round(cost.cpu_seconds + before.get('chain_cpu_seconds', 0.0), 1),
        'threads': torch.get_num_threads(),
        'precision': precision_on(get_device(), bool(runner.cfg.optim_wrapper.get('emulate'))),
        'commit': code_version(),
        'versions': versions(),
    }
