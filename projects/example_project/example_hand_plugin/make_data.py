"""Write a small made-up set: ``python -m example_hand_plugin.make_data FOLDER [NUMBER]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np

from mmdualhand.testing import draw_hand, random_hand

SIZE = (160, 120)
CAMERA = [[180.0, 0.0, 80.0], [0.0, 180.0, 60.0], [0.0, 0.0, 1.0]]


def write(root: Path, number: int = 8) -> None:
    """Write ``number`` hands for training and half as many for validation."""
    index: dict[str, list[dict]] = {'train': [], 'val': []}
    for folder in ('photo', 'depth', 'mask'):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for split, count in (('train', number), ('val', max(number // 2, 1))):
        for i in range(count):
            name, side = f'{split}_{i:04d}', ('right', 'left')[i % 2]
            rng = np.random.default_rng([len(split), i])
            joints = random_hand(rng, side)
            photo, depth, mask = draw_hand(joints, np.array(CAMERA), SIZE, rng)
            cv2.imwrite(str(root / 'photo' / f'{name}.png'), photo[..., ::-1])
            cv2.imwrite(str(root / 'depth' / f'{name}.png'), np.rint(depth * 10).astype(np.uint16))
            cv2.imwrite(str(root / 'mask' / f'{name}.png'), mask * 255)
            index[split].append(dict(name=name, side=side, camera=CAMERA, joints=joints.tolist()))
    (root / 'index.json').write_text(json.dumps(index))
    (root / 'SYNTHETIC.json').write_text(json.dumps({'generator': 'example_hand_plugin.make_data'}))


if __name__ == '__main__':
    write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8)
