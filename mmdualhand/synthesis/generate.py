"""Render whole data sets in several processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from mmdualhand.errors import ConfigError
from mmdualhand.synthesis.domains import Domain, get_domain
from mmdualhand.synthesis.render import FILLER_STREAM, generator, render_index
from mmdualhand.synthesis.rhd_writer import (
    FOLDER_NAME,
    SPLITS,
    Annotation,
    annotate,
    make_folders,
    write_annotations,
    write_pictures,
)

GENERATOR_VERSION = 1
"""Raised when the same request gives other pictures."""

NOTE = 'SYNTHETIC.json'
_THREAD_VARIABLES = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')


@dataclass(frozen=True)
class RHDRequest:
    """What to render.

    Attributes:
        num_training: Pictures of the training split.
        num_evaluation: Pictures of the evaluation split.
        seed: Seed of the set.
        domain: Domain; see ``domains``.
        image_size: Side of the square pictures, pixels.
    """

    num_training: int
    num_evaluation: int
    seed: int = 0
    domain: str = 'source'
    image_size: int = 320

    def __post_init__(self) -> None:
        for name in ('num_training', 'num_evaluation', 'seed'):
            if getattr(self, name) < 0:
                raise ConfigError(f'{name} must not be negative, got {getattr(self, name)}')
        if self.num_training + self.num_evaluation == 0:
            raise ConfigError('num_training and num_evaluation are both 0: nothing to render')
        if self.image_size < 32:
            raise ConfigError(f'image_size must be 32 or more, got {self.image_size}')
        get_domain(self.domain)

    @property
    def counts(self) -> dict[str, int]:
        """Pictures of every split."""
        return dict(zip(SPLITS, (self.num_training, self.num_evaluation), strict=True))

    def note(self) -> str:
        """Text of ``SYNTHETIC.json``: what the set is and what it was made from."""
        domain = get_domain(self.domain)
        content = {
            'content': 'procedural hands rendered by mmdualhand, in the layout of RHD; not the published set',
            'generator': 'mmdualhand.synthesis',
            'generator_version': GENERATOR_VERSION,
            'domain': domain.name,
            'seed': self.seed,
            'image_size': self.image_size,
            'counts': self.counts,
            'scene': domain.scene,
            'look': domain.look,
        }
        return json.dumps(content, indent=2, default=str) + '\n'


def generate_rhd(
    out: str | Path,
    request: RHDRequest,
    *,
    workers: int = 1,
    overwrite: bool = False,
    on_image: Callable[[], None] | None = None,
) -> Path:
    """Render a set in RHD's layout into ``out/RHD_published_v2``.

    The set is made under another name and renamed when complete, so a set that
    stands under its name is whole. The bytes do not depend on ``workers``.

    Args:
        out: Folder of the set's folder; made if missing.
        request: What to render.
        workers: Processes, each of one thread.
        overwrite: Replace an embedded set that was made from another request.
        on_image: Called in this process after every picture.

    Returns:
        The set's folder. One that was made from the same request is left alone.

    Raises:
        ConfigError: There is another set of that name, or ``workers`` < 1.
    """
    if workers < 1:
        raise ConfigError(f'workers must be 1 or more, got {workers}')
    root = Path(out) / FOLDER_NAME
    if is_complete(root, request):
        return root
    _check_replaceable(root, overwrite)
    partial = Path(out) / f'.{FOLDER_NAME}.partial'
    shutil.rmtree(partial, ignore_errors=True)
    try:
        make_folders(partial)
        annotations = _render_all(partial, request, workers, on_image or _ignore)
        for split in SPLITS:
            write_annotations(partial / split, annotations[split])
        (partial / NOTE).write_text(request.note(), encoding='utf-8')
        if root.exists():
            shutil.rmtree(root)
        partial.rename(root)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return root


def is_complete(root: str | Path, request: RHDRequest) -> bool:
    """Whether ``root`` holds the whole set of a request."""
    note = Path(root) / NOTE
    return note.is_file() and note.read_text(encoding='utf-8') == request.note()


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


Job = tuple[str, int]


@dataclass(frozen=True)
class _Worker:
    """Renders and writes single pictures; sent to every process once per chunk of jobs."""

    partial: Path
    domain: Domain
    seed: int
    image_size: int

    def __call__(self, job: Job) -> tuple[Job, Annotation]:
        split, index = job
        sample = render_index(
            index, seed=self.seed, domain=self.domain, split=split, image_size=self.image_size
        )
        write_pictures(self.partial / split, index, sample)
        return job, annotate(sample, generator(self.seed, self.domain.name, index, FILLER_STREAM, split))


def _render_all(
    partial: Path, request: RHDRequest, workers: int, on_image: Callable[[], None]
) -> Mapping[str, list[Annotation]]:
    jobs: list[Job] = [(split, index) for split, count in request.counts.items() for index in range(count)]
    worker = _Worker(partial, get_domain(request.domain), request.seed, request.image_size)
    done: dict[Job, Annotation] = {}
    context = multiprocessing.get_context('spawn')
    with _one_thread_each(), context.Pool(workers, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        for job, annotation in pool.imap_unordered(worker, jobs, chunksize=4):
            done[job] = annotation
            on_image()
    return {split: [done[split, index] for index in range(count)] for split, count in request.counts.items()}


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
