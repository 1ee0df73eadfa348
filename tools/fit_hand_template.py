"""Fits a hand template, bone ratios and palm, to the labels of a set in the layout of RHD.

The template of the embedded source, which is part of the package, was made with
``python tools/make_mini_benchmark.py --out data/template --only rhd --num 600 --seed 0`` and
``python tools/fit_hand_template.py data/template/RHD_published_v2``. Another ``--out`` keeps it and gives
a file for ``BiomechanicalCorrection(template=...)``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from mmdualhand.datasets import RHDDataset
from mmdualhand.kinematics import PALM_JOINTS, SOURCE_TEMPLATE, fit_template
from mmdualhand.structures import FINGERS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data_root', type=Path, help='folder RHD_published_v2')
    parser.add_argument('--split', default='training', choices=['training', 'evaluation'])
    parser.add_argument('--out', type=Path, default=SOURCE_TEMPLATE)
    arguments = parser.parse_args()
    dataset = RHDDataset(arguments.data_root, arguments.split, modalities=('rgb',), selection=None)
    records = [dataset.load_record(index) for index in range(dataset.num_records())]
    joints = torch.from_numpy(np.stack([record['keypoints_3d'] for record in records]))
    side = torch.tensor([1.0 if record['hand_side'] == 'right' else -1.0 for record in records])
    template = fit_template(joints, side)
    comment = (
        f'Hand template in units of the bone middle MCP - PIP, fitted by tools/fit_hand_template.py to '
        f'{len(records)} hands of {arguments.data_root.name}/{arguments.split}. Bones: wrist to base, then '
        'base to tip. Palm: right hand, +y to the middle finger, fingers flex to +z.'
    )
    template.save(arguments.out, comment)
    print(f'{arguments.out}: {len(records)} hands')
    for name, row in zip(FINGERS, template.ratios, strict=True):
        print(f'  {name:8s}', *(f'{ratio:6.3f}' for ratio in row))
    if template.palm is not None:
        for name, row in zip(PALM_JOINTS, template.palm, strict=True):
            print(f'  {name:10s}', *(f'{value:7.3f}' for value in row))


if __name__ == '__main__':
    main()
