"""What a machine has for processes that compute at a time: cores and GPUs."""

from __future__ import annotations

import os

import torch

_GPUS = 'CUDA_VISIBLE_DEVICES'


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpus() -> list[str]:
    """The GPUs that this process may use, each as ``CUDA_VISIBLE_DEVICES`` names it; none without CUDA."""
    if not torch.cuda.is_available():
        return []
    number = torch.cuda.device_count()
    named = [name.strip() for name in os.environ.get(_GPUS, '').split(',') if name.strip()]
    return named[:number] or [str(index) for index in range(number)]


def default_jobs() -> int:
    """Processes at a time where the user names no number: one a GPU, without GPUs one a core."""
    return len(gpus()) or cores()


def shares(jobs: int) -> list[dict[str, str]]:
    """Environment variables that give each of some processes its share of the machine.

    Args:
        jobs: Processes at a time.

    Returns:
        For each of them the number of threads, and one GPU where there are any; where
        there are more processes than GPUs, some share one.
    """
    threads, names = str(max(cores() // jobs, 1)), gpus()
    shared = {'OMP_NUM_THREADS': threads, 'MKL_NUM_THREADS': threads}
    return [{**shared, _GPUS: names[index % len(names)]} if names else dict(shared) for index in range(jobs)]
