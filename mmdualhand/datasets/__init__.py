"""Datasets: canonical records of single hands and the transforms that turn them into tensors."""

from mmdualhand.datasets import transforms
from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.datasets.coco_hand import CocoHandDataset
from mmdualhand.datasets.collate import collate_hand_batch
from mmdualhand.datasets.depth_decoders import DEPTH_DECODERS, register_depth_decoder
from mmdualhand.datasets.freihand import FreiHANDDataset
from mmdualhand.datasets.ge_real import GeRealDataset
from mmdualhand.datasets.h3d import H3DDataset
from mmdualhand.datasets.mvhand import MVHandDataset
from mmdualhand.datasets.restricted_pickle import load_annotation_pickle
from mmdualhand.datasets.rhd import RHDDataset
from mmdualhand.datasets.selection import HandSelection
from mmdualhand.datasets.stb import STBDataset
from mmdualhand.datasets.validate import check_record, find_mixups

__all__ = [
    'BaseHandDataset', 'CocoHandDataset', 'DEPTH_DECODERS', 'FreiHANDDataset', 'GeRealDataset',
    'H3DDataset', 'HandSelection', 'MVHandDataset', 'RHDDataset', 'STBDataset', 'check_record',
    'collate_hand_batch', 'find_mixups', 'load_annotation_pickle', 'register_depth_decoder', 'transforms',
]  # fmt: skip
