"""Transforms: dictionaries of arrays in, dictionaries of arrays out; they know no dataset."""

from mmdualhand.datasets.transforms.depth import NormalizeDepth
from mmdualhand.datasets.transforms.geometric import HandCrop
from mmdualhand.datasets.transforms.loading import LoadHandModalities
from mmdualhand.datasets.transforms.packing import PackHandInputs
from mmdualhand.datasets.transforms.photometric import TextureViews

__all__ = ['HandCrop', 'LoadHandModalities', 'NormalizeDepth', 'PackHandInputs', 'TextureViews']
