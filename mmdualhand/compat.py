"""Every workaround for a fault of an upstream library, the fault named beside it.

One place to delete from when upstream mends something. Faults were met in
mmengine 0.10.7 with torch 2.13. Those whose answer is not a workaround live
where they belong: streams in ``engine``, the memory-mapped bank in
``pseudo_labels``, ``train()`` of a teacher in its estimator.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import cache, lru_cache, wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from mmengine.config import config as mmengine_config
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader

from mmdualhand.errors import MissingFileError, MissingPackageError, UnsafeFileError

_trust_checkpoints = False
_BUFFER_MARK = 'history_buffer'

CHANNELS_LAST_FROM = 16
"""Fewest channels for channels-last weights: on several CPU threads torch 2.13 crashes (segmentation
fault in the backward pass) on channels-last convolutions of 4 or 8 channels."""


def apply_patches(*, trust_checkpoints: bool = False) -> None:
    """Mend what mmengine does itself; calling it again is harmless.

    - Its issue 1655: ``torch.load`` without ``weights_only`` fails on every checkpoint
      the Runner wrote, in ``resume`` and in ``load_from``: the safe loader is registered.
    - A Runner asks for the text of its config five times at its start and once a
      checkpoint, and yapf takes a second each time: the same text is formatted once.

    Args:
        trust_checkpoints: Let the loader unpickle arbitrary objects. Only for
            files whose origin is known.
    """
    global _trust_checkpoints
    _trust_checkpoints = trust_checkpoints
    CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)
    _format_once()


def _format_once() -> None:
    """Keep what yapf made of the last few configs."""
    given = mmengine_config.FormatCode
    if hasattr(given, '__wrapped__'):
        return

    @lru_cache(maxsize=8)
    def kept(text: str, style: tuple[tuple[str, Any], ...], **options: Any) -> tuple[str, bool]:
        return given(text, style_config=dict(style), **options)

    @wraps(given)
    def format_code(text: str, *, style_config: Mapping[str, Any], **options: Any) -> tuple[str, bool]:
        return kept(text, tuple(style_config.items()), **options)

    mmengine_config.FormatCode = format_code


def load_from_local(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Read a checkpoint of tensors, numbers, strings and containers.

    Args:
        filename: Path of the checkpoint.
        map_location: As in :func:`torch.load`.

    Raises:
        MissingFileError: No such file.
        UnsafeFileError: The file is broken or holds other objects, also where
            it lies in the run's own folder.
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise MissingFileError(f'the checkpoint {filename} is not there')
    try:
        return torch.load(path, map_location=map_location, weights_only=not _trust_checkpoints)
    except Exception as error:  # torch raises RuntimeError, UnpicklingError, EOFError ... for bad files
        reason = str(error).split('\n', 1)[0]
        raise UnsafeFileError(
            f'the checkpoint {filename} was not loaded: it is damaged or holds more than tensors, numbers '
            f'and containers ({type(error).__name__}: {reason}). If it comes from another program and you '
            'trust it, pass --trust-checkpoint: its code then runs on this machine.'
        ) from error


@cache
def cpu_has_bf16() -> bool:
    """Whether this processor has instructions for bfloat16.

    Without them torch still accepts bfloat16 on a CPU, and a training step takes several times as long
    as in float32. Where torch does not list the instructions of an x86 processor (before 2.10), or the
    processor is of another kind, what oneDNN supports is taken for the answer.
    """
    if platform.machine().lower() in ('x86_64', 'amd64') and hasattr(torch.cpu, 'get_capabilities'):
        found = torch.cpu.get_capabilities()
        return bool(found.get('avx512_bf16') or found.get('amx_bf16'))
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def init_distributed(launcher: str) -> None:
    """Start the process group on machines without an accelerator.

    mmengine's ``init_dist`` calls ``torch.cuda.set_device`` whatever the back
    end is. Where a group exists already, mmengine leaves it alone.

    Args:
        launcher: The Runner's launcher; only ``'pytorch'`` (torchrun) is
            started here, and only where CUDA is absent.
    """
    if launcher == 'pytorch' and not torch.cuda.is_available() and not dist.is_initialized():
        dist.init_process_group('gloo')


def to_plain(value: Any) -> Any:
    """Rebuild a structure from what ``weights_only=True`` can load.

    History buffers become dicts of tensors (see :func:`from_plain`), numpy
    arrays tensors, numpy scalars numbers, and any mapping or sequence subclass
    a plain dict, list or tuple. Anything else is kept.
    """
    if isinstance(value, HistoryBuffer):
        log, count = value.data
        return {
            _BUFFER_MARK: torch.as_tensor(np.asarray(log, dtype=np.float64)),
            'count': torch.as_tensor(np.asarray(count, dtype=np.float64)),
            'max_length': int(value.max_length),
        }
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype.kind in 'OUS' else torch.as_tensor(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {to_plain(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(to_plain(item) for item in value)
    if isinstance(value, list | set | frozenset):
        return [to_plain(item) for item in value]
    return value


def from_plain(value: Any) -> Any:
    """Restore the history buffers that :func:`to_plain` took apart."""
    if isinstance(value, Mapping):
        if _BUFFER_MARK in value:
            return HistoryBuffer(
                value[_BUFFER_MARK].cpu().numpy(), value['count'].cpu().numpy(), value['max_length']
            )
        return {key: from_plain(item) for key, item in value.items()}
    return value


def cap_history(buffers: Mapping[str, HistoryBuffer], length: int) -> None:
    """Keep only the last values of logged scalars.

    ``HistoryBuffer.update`` copies its whole history at every call, so that
    logging would cost more the longer a run lasts.

    Args:
        buffers: Name to buffer, changed in place.
        length: Values to keep; larger than any smoothing window.
    """
    for buffer in buffers.values():
        buffer.max_length = length
        buffer._log_history = buffer._log_history[-length:]
        buffer._count_history = buffer._count_history[-length:]


def import_xtcocotools() -> ModuleType:
    """The COCO reader, imported only where a COCO file is read.

    Its wheels are built against numpy 1 and end at Python 3.11
    (xtcocoapi issue 45).

    Returns:
        The module ``xtcocotools.coco``.

    Raises:
        MissingPackageError: It is not installed or does not load.
    """
    try:
        import xtcocotools.coco
    except (ImportError, ValueError) as error:
        raise MissingPackageError(
            f'COCO files need xtcocotools, which did not load ({error}): use Python 3.10 or 3.11 with '
            'numpy below 2 and run `pip install "xtcocotools>=1.14.3" "numpy<2"`; everything but COCO '
            'files works without it'
        ) from error
    return xtcocotools.coco


def replace_file(partial: str | os.PathLike[str], final: str | os.PathLike[str]) -> None:
    """Move a completely written file into place, so that no reader meets half a file."""
    os.replace(partial, final)
