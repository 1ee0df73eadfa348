"""Render whole data sets in several processes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from mmdualhand.errors import ConfigError
from mmdualhand.synthesis.domains import DOMAINS, Domain
from mmdualhand.synthesis.layouts.base import LAYOUTS, Job, Layout, SetRequest

NOTE = 'SYNTHETIC.json'
_CHUNK = 4  # jobs sent at once; what is pickled together shares objects, so pickles depend on it
_THREAD_VARIABLES = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')


def generate_set(
    out: str | Path,
    request: SetRequest,
    *,
    workers: int = 1,
    overwrite: bool = False,
    on_image: Callable[[], None] | None = None,
) -> Path:
    """Render a set into a folder of the published set's name below ``out``.

    The set is made under another name and renamed when complete, so a set that
    stands under its name is whole. The bytes depend neither on ``workers`` nor on
    the time of day.

    Args:
        out: Folder of the set's folder; made if missing.
        request: What to render.
        workers: Processes, each of one thread.
        overwrite: Replace an embedded set that was made from another request.
        on_image: Called in this process after every picture.

    Returns:
        The set's folder. One that was made from the same request is left alone.

    Raises:
        ConfigError: As :func:`check_request`, or ``workers`` < 1.
        DataError: A photo for the background is no picture.
    """
    if workers < 1:
        raise ConfigError(f'workers must be 1 or more, got {workers}')
    if check_request(out, request, overwrite=overwrite):
        return Path(out) / LAYOUTS[request.layout].folder_name
    layout = LAYOUTS[request.layout]
    root = Path(out) / layout.folder_name
    partial = Path(out) / f'.{layout.folder_name}.partial'
    shutil.rmtree(partial, ignore_errors=True)
    try:
        for folder in layout.folders(request):
            (partial / folder).mkdir(parents=True)
        labels = _render_all(partial, request, workers, on_image or _ignore)
        layout.finish(partial, request, labels)
        (partial / NOTE).write_text(layout.note(request), encoding='utf-8')
        if root.exists():
            shutil.rmtree(root)
        partial.rename(root)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return root


def check_request(out: str | Path, request: SetRequest, *, overwrite: bool = False) -> bool:
    """Refuse a set that cannot be made, before anything is rendered.

    Args:
        out: Folder of the set's folder.
        request: What to render.
        overwrite: An embedded set that was made from another request may be replaced.

    Returns:
        Whether the set is there already, whole.

    Raises:
        ConfigError: There is another set of that name, the layout cannot hold the
            number of pictures, or there are too few photos for the background.
        DataError: A photo for the background is no picture.
    """
    layout = LAYOUTS[request.layout]
    layout.check_size(request)
    root = Path(out) / layout.folder_name
    if is_complete(root, request):
        return True
    layout.note(request)  # looks at the photos
    _check_replaceable(root, overwrite)
    return False


def is_complete(root: str | Path, request: SetRequest) -> bool:
    """Whether ``root`` holds the whole set of a request."""
    note = Path(root) / NOTE
    return note.is_file() and note.read_text(encoding='utf-8') == LAYOUTS[request.layout].note(request)


def _check_replaceable(root: Path, overwrite: bool) -> None:
    if not root.exists():
        return
    if not (root / NOTE).is_file():
        raise ConfigError(
            f'{root} exists and has no {NOTE}, so it may be the published set; choose another folder'
        )
    if not overwrite:
        raise ConfigError(
            f'{root} holds an embedded set that was made from other settings; '
            'replace it with --overwrite or choose another folder'
        )


def _ignore() -> None:
    """Nothing to tell."""


@dataclass(frozen=True)
class _Worker:
    """Renders and writes single jobs; sent to every process once per chunk of jobs."""

    layout: Layout
    partial: Path
    request: SetRequest

    def __call__(self, job: Job) -> tuple[Job, Any]:
        return job, self.layout.write_job(self.partial, job, self.request)


def _start_worker(layouts: dict[str, Layout], domains: dict[str, Domain]) -> None:
    """Give a new process one thread, and what this one has registered; Ctrl-C is for this one alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    LAYOUTS.update(layouts)
    DOMAINS.update(domains)


def _render_all(
    partial: Path, request: SetRequest, workers: int, on_image: Callable[[], None]
) -> dict[Job, Any]:
    layout = LAYOUTS[request.layout]
    worker = _Worker(layout, partial, request)
    done: dict[Job, Any] = {}
    context = multiprocessing.get_context('spawn')
    with _one_thread_each(), context.Pool(workers, _start_worker, (LAYOUTS, DOMAINS)) as pool:
        for job, labels in pool.imap_unordered(worker, layout.jobs(request), chunksize=_CHUNK):
            done[job] = labels
            for _ in range(layout.pictures_of(job)):
                on_image()
    return done


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Make child processes start with one thread for matrix products.

    More would be slower, and sums in another order could change the last bit.
    """
    before: dict[str, Any] = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update({name: '1' for name in _THREAD_VARIABLES})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
