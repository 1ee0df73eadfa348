"""Transforms: dictionaries of arrays in, dictionaries of arrays out; they know no dataset."""

from mmdualhand.datasets.transforms.depth import NormalizeDepth
from mmdualhand.datasets.transforms.geometric import HandCrop
from mmdualhand.datasets.transforms.loading import LoadHandModalities
from mmdualhand.datasets.transforms.packing import PackHandInputs
from mmdualhand.datasets.transforms.photometric import TextureViews
from mmdualhand.datasets.transforms.unlabelled import DropLabels

__all__ = [
    'DropLabels', 'HandCrop', 'LoadHandModalities', 'NormalizeDepth', 'PackHandInputs', 'TextureViews',
]  # fmt: skip
