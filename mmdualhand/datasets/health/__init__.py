"""Checks of a dataset on disk: what is wrong with it, in plain words, and what to do."""

from __future__ import annotations

from mmdualhand.datasets.health.examine import Examination, examine
from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WARNING, WRONG, HealthReport, Row
from mmdualhand.datasets.health.sources import SOURCES
from mmdualhand.datasets.health.table import LabelTable

__all__ = [
    'NOT_APPLICABLE',
    'OK',
    'SOURCES',
    'WARNING',
    'WRONG',
    'Examination',
    'HealthReport',
    'LabelTable',
    'Row',
    'examine',
]
