"""One process of an experiment: a training, then its measurements.

``python -m mmdualhand.apis.experiments.job FILE``, where FILE is what :func:`write_job` wrote.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from mmdualhand import compat
from mmdualhand.apis.experiments.cells import read_json, write_json
from mmdualhand.apis.experiments.definitions import Measurement, Training
from mmdualhand.apis.experiments.measure_once import measure
from mmdualhand.apis.experiments.train_once import train_once
from mmdualhand.errors import ConfigError, HandUserError, MissingFileError

_WAIT_SECONDS = 60.0  # for a process of an interrupted run to notice that it is alone


@dataclass(frozen=True)
class Job:
    """A training and what is still to be measured of it.

    Attributes:
        training: What to train, where it is not trained.
        measurements: What to measure then.
    """

    training: Training
    measurements: tuple[Measurement, ...] = ()


def write_job(job: Job, work_dir: Path, cells: Path) -> Path:
    """Write what :func:`main` reads; returns the file, in a folder of its own below ``work_dir``."""
    file = work_dir / 'jobs' / f'{job.training.key}.json'
    content = {
        'training': asdict(job.training),
        'measurements': [one.to_plain() for one in job.measurements],
        'work_dir': str(work_dir),
        'cells': str(cells),
        'parent': os.getpid(),
    }
    write_json(file, content)
    return file


def run_job(job: Job, work_dir: Path, cells: Path, *, parent: int | None = None) -> None:
    """Train, load the last checkpoint once, and measure; every cell is written when it is there.

    Raises:
        HandUserError: What the training or a measurement says.
    """
    with _alone(work_dir / 'jobs' / f'{job.training.key}.lock'):
        trained = train_once(job.training, work_dir, parent=parent)
        compat.apply_patches()
        checkpoint = compat.load_from_local(str(trained.checkpoint), map_location='cpu')
        for one in job.measurements:
            cell = measure(one, checkpoint, trained.record)
            write_json(cells / one.file_name, cell)
            print(f'{one.file_name}: {cell["metrics"]}', flush=True)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock that ends with the process.

    Raises:
        ConfigError: Another process keeps it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + _WAIT_SECONDS
    with lock.open('w') as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ConfigError(
                        f'another process works on {lock.stem} in {lock.parent.parent}: wait for it, or '
                        'choose another --work-dir'
                    ) from None
                time.sleep(0.5)
        yield


def main(argv: Sequence[str]) -> int:
    """Run the job of a file; returns the exit status, 2 after an error of the user, which is printed."""
    content = read_json(Path(argv[0]))
    try:
        if content is None:
            raise MissingFileError(f'{argv[0]} is not there')
        job = Job(
            Training.from_plain(content['training']),
            tuple(map(Measurement.from_plain, content['measurements'])),
        )
        run_job(job, Path(content['work_dir']), Path(content['cells']), parent=content['parent'])
    except HandUserError as error:
        print(f'{type(error).__name__}: {error}', flush=True)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
