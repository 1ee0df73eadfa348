"""Datasets: canonical records of single hands and the transforms that turn them into tensors."""

from mmdualhand.datasets import transforms
from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.datasets.collate import collate_hand_batch
from mmdualhand.datasets.depth_decoders import DEPTH_DECODERS, register_depth_decoder
from mmdualhand.datasets.ge_real import GeRealDataset
from mmdualhand.datasets.restricted_pickle import load_annotation_pickle
from mmdualhand.datasets.rhd import RHDDataset
from mmdualhand.datasets.selection import HandSelection
from mmdualhand.datasets.validate import check_record, find_mixups

__all__ = [
    'BaseHandDataset', 'DEPTH_DECODERS', 'GeRealDataset', 'HandSelection', 'RHDDataset', 'check_record',
    'collate_hand_batch', 'find_mixups', 'load_annotation_pickle', 'register_depth_decoder', 'transforms',
]  # fmt: skip
