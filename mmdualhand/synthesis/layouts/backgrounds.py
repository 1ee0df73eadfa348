"""Backgrounds that a layout paints apart from the hands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.synthesis.domains import Domain, get_domain
from mmdualhand.synthesis.parameters import draw
from mmdualhand.synthesis.photo_background import photo_backgrounds

GREEN_SCREEN = 'green'
"""Kind of background of a hand before a green screen."""


def draw_kind(rng: np.random.Generator, look: Mapping[str, Any]) -> str:
    """Draw a kind of background of a look, no green screen unless the look has nothing else."""
    spec = look['background']
    if isinstance(spec, Mapping):
        others = {kind: weight for kind, weight in spec.items() if kind != GREEN_SCREEN}
        spec = others if any(others.values()) else spec
    return str(draw(rng, spec))


@lru_cache(maxsize=8)
def with_photos(domain: str, folder: str, split: str) -> Domain:
    """A domain with photos of a folder behind the hands; see ``photo_backgrounds``."""
    return photo_backgrounds(get_domain(domain), folder, split)


def photo_list(domain: Domain, folder: str) -> list[list[Any]]:
    """Name below the folder and size in bytes of every photo of a domain."""
    files = [Path(file) for file in domain.look['photo_files']]
    return sorted([file.relative_to(folder).as_posix(), file.stat().st_size] for file in files)
