"""Draw the hands of one picture: python demo/image_demo.py PHOTO CHECKPOINT --out hands.png."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmdualhand import HandPoseInferencer
from mmdualhand.apis.read_image import read_image
from mmdualhand.apis.write_image import write_image
from mmdualhand.errors import run_script
from mmdualhand.visualization import side_by_side


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('picture')
    parser.add_argument('model', help='checkpoint or exported file')
    parser.add_argument('--box', nargs=4, type=float, metavar=('X0', 'Y0', 'X1', 'Y1'))
    parser.add_argument('--side', choices=['right', 'left'])
    parser.add_argument('--camera', nargs=4, type=float, metavar=('FX', 'FY', 'CX', 'CY'))
    parser.add_argument('--ref-length', type=float, metavar='MM')
    parser.add_argument('--out', default='hands.png')
    args = parser.parse_args(argv)

    inferencer = HandPoseInferencer(args.model)
    image = read_image(args.picture)
    inferencer.set_image(image)
    hands = inferencer.predict(args.box, args.side, args.camera, args.ref_length)
    for hand in hands:
        print(f'{hand.side} hand, confidence {hand.score:.2f}, metric 3D: {hand.metric}')
    write_image(args.out, side_by_side(image, hands))


if __name__ == '__main__':
    run_script(main)
