"""Pseudo-labels during a run: handed to the model, kept in a bank, watched and measured."""

from mmdualhand.engine.labels.collapse import collapse_warnings
from mmdualhand.engine.labels.filler import BankFiller
from mmdualhand.engine.labels.means import EpochMeans
from mmdualhand.engine.labels.memory import LabelMemory, label_drift
from mmdualhand.engine.labels.probe import LabelProbe
from mmdualhand.engine.labels.source import LabelSource

__all__ = [
    'BankFiller', 'EpochMeans', 'LabelMemory', 'LabelProbe', 'LabelSource', 'collapse_warnings',
    'label_drift',
]  # fmt: skip
