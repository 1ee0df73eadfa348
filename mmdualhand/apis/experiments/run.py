"""Many measurements on one machine: what is missing is trained and measured, what is there is kept."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdualhand.apis.experiments.cells import read_result
from mmdualhand.apis.experiments.configs import training_config
from mmdualhand.apis.experiments.definitions import Measurement, Training, check_names
from mmdualhand.apis.experiments.job import Job, remove_jobs, write_job
from mmdualhand.apis.experiments.machine import shares
from mmdualhand.apis.experiments.needs import check_weights, with_data
from mmdualhand.apis.experiments.origin import difference, measurement_origin
from mmdualhand.apis.experiments.scheduler import Outcome, Task, Watcher, run_tasks
from mmdualhand.apis.experiments.train_once import find_trained
from mmdualhand.engine import stream_configs
from mmdualhand.engine.told_epochs import WHOLE
from mmdualhand.errors import ConfigError
from mmdualhand.synthesis.generate import NOTE

_MEASUREMENT_COST = 0.02
"""Of a measurement, where a training of the same data costs 1 an epoch and branch."""


@dataclass(frozen=True)
class Plan:
    """What there is to do.

    Attributes:
        jobs: One a training, those that others start from before these.
        finished: Measurements whose cells are there.
        notes: What to tell of cells that do not fit any more, a sentence each.
    """

    jobs: tuple[Job, ...]
    finished: tuple[Measurement, ...]
    notes: tuple[str, ...]


def make_plan(measurements: Sequence[Measurement], work_dir: Path, cells: Path) -> Plan:
    """Find out what is missing.

    Args:
        measurements: What is wanted.
        work_dir: Folder with a folder for every training.
        cells: Folder of the finished measurements.

    Raises:
        ConfigError: A config is wrong, or two things have one name.
        DataError: A cell or a record is broken.
    """
    check_names(measurements)
    missing: dict[Training, list[Measurement]] = {}
    finished, notes = [], []
    for one in dict.fromkeys(measurements):
        cell, origin = read_result(cells / one.file_name), measurement_origin(one)
        reason = None if cell is None else difference(cell['origin'], origin)
        if reason == '':
            finished.append(one)
            continue
        if reason:
            notes.append(f'{one.file_name} was made from something else, {reason} differs: it is made anew')
        missing.setdefault(one.training, []).append(one)
    jobs: dict[Training, Job] = {}
    for training, parts in missing.items():
        for start in _unfinished_starts(training, work_dir):
            jobs.setdefault(start, Job(start, tuple(missing.get(start, ()))))
        jobs.setdefault(training, Job(training, tuple(parts)))
    return Plan(tuple(jobs.values()), tuple(finished), tuple(notes))


def _unfinished_starts(training: Training, work_dir: Path) -> list[Training]:
    """The trainings that must run before, first ones first."""
    start = training.start
    if start is None or find_trained(start, work_dir) is not None:
        return []
    return [*_unfinished_starts(start, work_dir), start]


def make_tasks(plan: Plan, work_dir: Path, cells: Path) -> list[Task]:
    """A process for every job of a plan; it waits for what it starts from where that is not trained yet."""
    untrained = {job.training for job in plan.jobs if find_trained(job.training, work_dir) is None}
    tasks = []
    for job in plan.jobs:
        start = job.training.start
        file = write_job(job, work_dir, cells)
        tasks.append(
            Task(
                job.training.key,
                (sys.executable, '-m', 'mmdualhand.apis.experiments', str(file), str(os.getpid())),
                log=work_dir / 'logs' / f'{job.training.key}.log',
                needs=(start.key,) if start is not None and start in untrained else (),
                cost=estimated_cost(job, work_dir),
            )
        )
    return tasks


def estimated_cost(job: Job, work_dir: Path) -> float:
    """How long a job takes, in pictures times branches; only to compare jobs.

    Numbers of pictures are those of the notes of embedded data, of which an epoch takes what
    ``real_fraction``, ``num_subset`` and ``epoch_length`` say; other data count alike.
    """
    cfg = training_config(job.training)
    loader = cfg.train_dataloader
    streams = 'streams' in loader
    driver = stream_configs(loader)[loader['driver']] if streams else loader
    pictures = _pictures(driver, cfg.train_cfg.get('epoch_length'))
    model = cfg.model
    branches = len(model.get('branches') or model.get('backbone', {}).get('branches') or 'rdf')
    steps = 0 if find_trained(job.training, work_dir) else cfg.train_cfg.get('max_epochs', 1)
    return pictures * branches * (steps * (2 if streams else 1) + _MEASUREMENT_COST * len(job.measurements))


def _pictures(loader: Mapping[str, Any], epoch_length: int | str | None) -> float:
    """Pictures of an epoch."""
    if isinstance(epoch_length, int):
        return float(epoch_length * loader['batch_size'])
    dataset = loader['dataset']
    note = Path(str(dataset.get('data_root'))) / NOTE
    counts = json.loads(note.read_text(encoding='utf-8')).get('counts') if note.is_file() else None
    there = float(max((counts or {}).values(), default=1000))
    share = 1.0 if epoch_length == WHOLE else dataset.get('real_fraction') or 1.0
    return float(share * min(there, dataset.get('num_subset') or there))


def run_measurements(
    measurements: Sequence[Measurement],
    work_dir: Path,
    cells: Path,
    *,
    jobs: int,
    watcher: Watcher | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, Outcome]:
    """Train and measure what is missing, as far as its data are here.

    Args:
        measurements: What is wanted.
        work_dir: Folder for checkpoints, logs and what else is made on the way.
        cells: Folder of the finished measurements, which are kept.
        jobs: Processes at a time; each computes with its share of the cores, and a GPU of
            its own where there are enough.
        watcher: Is told what happens.
        say: Takes sentences for the user.

    Returns:
        How the job of each training ended, also of those left out for want of data; empty where
        nothing was missing.

    Raises:
        ConfigError: As :func:`make_plan`, or ``jobs`` < 1.
        MissingFileError: The data of all that is missing are not here, or weights that a
            training starts from.
    """
    if jobs < 1:
        raise ConfigError(f'jobs must be 1 or more, got {jobs}')
    work_dir, cells = work_dir.absolute(), cells.absolute()
    wanted = make_plan(measurements, work_dir, cells)
    plan, sentences = _possible(wanted, work_dir, cells)
    for note in (*plan.notes, *sentences):
        say(note)
    say(
        f'{len(plan.finished)} of {len(dict.fromkeys(measurements))} measurements are there; '
        f'{len(plan.jobs)} trainings to run or to measure, {jobs} at a time'
    )
    check_weights(job.training for job in plan.jobs if find_trained(job.training, work_dir) is None)
    env = [{**share, 'PYTHONUNBUFFERED': '1'} for share in shares(jobs)]
    try:
        outcomes = run_tasks(make_tasks(plan, work_dir, cells), jobs, env=env, watcher=watcher)
    finally:
        remove_jobs(work_dir)
    absent = {job.training.key: Outcome('absent') for job in set(wanted.jobs) - set(plan.jobs)}
    return {**outcomes, **{key: one for key, one in absent.items() if _went_well(outcomes.get(key))}}


def _went_well(outcome: Outcome | None) -> bool:
    return outcome is None or outcome.status == 'done'


def _possible(plan: Plan, work_dir: Path, cells: Path) -> tuple[Plan, list[str]]:
    """A plan without what needs data that are not here, and a sentence for every such folder."""
    missing = [one for job in plan.jobs for one in job.measurements]
    possible, sentences = with_data(missing)
    if len(possible) == len(missing):
        return plan, []
    smaller = make_plan(possible, work_dir, cells)
    return Plan(smaller.jobs, plan.finished, plan.notes), sentences


def shard(measurements: Sequence[Measurement], index: int, number: int) -> list[Measurement]:
    """The part of one of several machines.

    A part has whole chains: all that starts, in one or more steps, from the same training is in one part. At
    the scales ``mini`` and ``small`` everything of a seed and a depth of the network starts from its
    ``init_rgb``, so that there are few chains, and a part beyond their number is empty.

    Args:
        measurements: What is wanted of all machines.
        index: This machine, from 1.
        number: Machines.

    Returns:
        Its measurements; those of all machines together are all, and none is in two.

    Raises:
        ConfigError: Not ``1 <= index <= number``.
    """
    if not 1 <= index <= number:
        raise ConfigError(f'a shard is I/N with I from 1 to N, got {index}/{number}')
    families: dict[str, list[Measurement]] = {}
    for one in measurements:
        families.setdefault(_root(one.training).key, []).append(one)
    costs = {
        key: sum(estimated_cost(Job(training), Path()) for training in {one.training for one in family})
        for key, family in families.items()
    }
    loads, mine = [0.0] * number, []
    for key in sorted(families, key=lambda key: (-costs[key], key)):
        lightest = loads.index(min(loads))
        loads[lightest] += costs[key]
        if lightest == index - 1:
            mine.extend(families[key])
    return mine


def _root(training: Training) -> Training:
    return training if training.start is None else _root(training.start)
