"""Label files of each dataset as tables, read without the repairs that the readers make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mmdualhand.datasets.health.sources.coco import survey_coco
from mmdualhand.datasets.health.sources.freihand import survey_freihand
from mmdualhand.datasets.health.sources.ge_real import survey_ge_real
from mmdualhand.datasets.health.sources.h3d import survey_h3d
from mmdualhand.datasets.health.sources.mvhand import survey_mvhand
from mmdualhand.datasets.health.sources.rhd import survey_rhd
from mmdualhand.datasets.health.sources.stb import survey_stb
from mmdualhand.datasets.health.sources.survey import Options, Survey

SOURCES: dict[str, Callable[[Path, list[str] | None, Options], Survey]] = {
    'rhd': survey_rhd,
    'stb': survey_stb,
    'freihand': survey_freihand,
    'h3d': survey_h3d,
    'mvhand': survey_mvhand,
    'ge_real': survey_ge_real,
    'coco': survey_coco,
}
"""Name of a dataset to the function that reads its label files."""

__all__ = ['SOURCES', 'Options', 'Survey']
