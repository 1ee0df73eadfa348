"""A dataset of photos, depth maps and masks that are listed in a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.datasets import BaseHandDataset, register_depth_decoder
from mmdualhand.errors import MissingFileError
from mmdualhand.registry import DATASETS
from mmdualhand.structures import Camera, HandSample


@register_depth_decoder('example_tenth_millimetre')
def decode_depth(picture: np.ndarray) -> np.ndarray:
    """``(H, W)`` uint16 in tenths of a millimetre to ``(H, W)`` float32 mm."""
    return picture.astype(np.float32) / 10


@DATASETS.register_module()
class IndexedHands(BaseHandDataset):
    """Hands of an ``index.json``, made by ``python -m example_hand_plugin.make_data FOLDER``.

    The file maps a split to a list of hands, each with ``name``, ``side``,
    ``camera`` (3, 3) and ``joints`` (21, 3) in mm in the camera frame, canonical
    order. Pictures are ``photo/NAME.png``, ``depth/NAME.png`` and ``mask/NAME.png``.

    Args:
        data_root: Folder of the set.
        split: A key of the index.
        **kwargs: See ``BaseHandDataset``.
    """

    dataset_name = 'IndexedHands'

    def __init__(self, data_root: str = 'data/example_hands', split: str = 'train', **kwargs: Any) -> None:
        index = Path(data_root) / 'index.json'
        if not index.is_file():
            raise MissingFileError(
                f'{index} is missing: make it with "python -m example_hand_plugin.make_data {data_root}"'
            )
        self.hands = json.loads(index.read_text())[split]
        super().__init__(data_root, **kwargs)

    def num_records(self) -> int:
        """Number of hands of the split."""
        return len(self.hands)

    def load_record(self, index: int) -> HandSample:
        """One hand as the canonical record."""
        hand = self.hands[index]
        camera, joints = np.array(hand['camera'], dtype=float), np.array(hand['joints'], dtype=float)
        picture = f'{hand["name"]}.png'
        return {
            'sample_id': hand['name'],
            'img_path': str(self.data_root / 'photo' / picture),
            'depth_path': str(self.data_root / 'depth' / picture),
            'depth_encoding': 'example_tenth_millimetre',
            'mask_path': str(self.data_root / 'mask' / picture),
            'mask_values': (1, 255),
            'hand_side': hand['side'],
            'camera': camera,
            'keypoints_2d': Camera(camera).project(joints),
            'keypoints_3d': joints,
        }
