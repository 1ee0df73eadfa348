"""One process of an experiment: a training, then its measurements.

Several commands may work in one folder, on one machine or on several that share it. A
training is that of one process at a time; the others wait and take what it leaves.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from mmdualhand import compat
from mmdualhand.apis.experiments.cells import read_json, read_result, write_json
from mmdualhand.apis.experiments.definitions import Measurement, Training
from mmdualhand.apis.experiments.measure_once import measure
from mmdualhand.apis.experiments.origin import difference, measurement_origin
from mmdualhand.apis.experiments.train_once import train_once
from mmdualhand.apis.experiments.watch import leave_if_alone
from mmdualhand.errors import HandUserError, MissingFileError

_POLL_SECONDS = 0.5


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
    """Write what :func:`main` reads; returns the file, in a folder of its own below ``work_dir``.

    Its name has this process in it: another command that works in the same folder may want
    other measurements of the same training.
    """
    file = work_dir / 'jobs' / f'{job.training.key}.{_me()}.json'
    content = {
        'training': asdict(job.training),
        'measurements': [one.to_plain() for one in job.measurements],
        'work_dir': str(work_dir),
        'cells': str(cells),
    }
    write_json(file, content)
    return file


def remove_jobs(work_dir: Path) -> None:
    """Remove the files of :func:`write_job` of this process."""
    for file in (work_dir / 'jobs').glob(f'*.{_me()}.json'):
        file.unlink(missing_ok=True)


def _me() -> str:
    return f'{socket.gethostname()}-{os.getpid()}'


def run_job(job: Job, work_dir: Path, cells: Path, *, parent: int | None = None) -> None:
    """Train, load the last checkpoint once, and measure; every cell is written when it is there.

    Args:
        job: What to do. What another process has done in the meantime is not done again.
        work_dir: Folder with a folder for every training.
        cells: Folder of the finished measurements.
        parent: Process with which this one ends; None for none.

    Raises:
        HandUserError: What the training or a measurement says.
    """
    with _alone(work_dir / 'jobs' / f'{job.training.key}.lock', parent):
        trained = train_once(job.training, work_dir, parent=parent)
        missing = [one for one in job.measurements if not _is_there(one, cells)]
        if not missing:
            return
        compat.apply_patches()
        checkpoint = compat.load_from_local(str(trained.checkpoint), map_location='cpu')
        for one in missing:
            cell = measure(one, checkpoint, trained.record)
            write_json(cells / one.file_name, cell)
            print(f'{one.file_name}: {cell["metrics"]}', flush=True)


def _is_there(measurement: Measurement, cells: Path) -> bool:
    cell = read_result(cells / measurement.file_name)
    return cell is not None and difference(cell['origin'], measurement_origin(measurement)) == ''


@contextmanager
def _alone(lock: Path, parent: int | None) -> Iterator[None]:
    """Hold a lock that ends with the process; wait as long as another one holds it.

    Raises:
        SystemExit: The process that started this one is gone.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    said = False
    with lock.open('w') as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not said:
                    print(f'another process works on {lock.stem}: this one waits for it', flush=True)
                said = True
                leave_if_alone(parent)
                time.sleep(_POLL_SECONDS)
        yield


def main(argv: Sequence[str]) -> int:
    """Run the job of a file.

    Args:
        argv: The file of :func:`write_job` and, optionally, the process to end with.

    Returns:
        The exit status, 2 after an error of the user, which is printed.
    """
    file, parent = Path(argv[0]), int(argv[1]) if len(argv) > 1 else None
    try:
        content = read_json(file)
        if content is None:
            raise MissingFileError(f'{file} is not there')
        job = Job(
            Training.from_plain(content['training']),
            tuple(map(Measurement.from_plain, content['measurements'])),
        )
        run_job(job, Path(content['work_dir']), Path(content['cells']), parent=parent)
    except HandUserError as error:
        print(f'{type(error).__name__}: {error}', flush=True)
        return 2
    return 0
