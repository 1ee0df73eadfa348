"""Draw the hands of a video, in batches: python demo/video_demo.py VIDEO CHECKPOINT --out hands.mp4."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from mmdualhand import HandPoseInferencer
from mmdualhand.apis.pictures import open_pictures
from mmdualhand.apis.video_writer import VideoWriter
from mmdualhand.errors import run_script
from mmdualhand.visualization import side_by_side


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('video')
    parser.add_argument('model', help='checkpoint or exported file')
    parser.add_argument('--box', nargs=4, type=float, action='append', metavar=('X0', 'Y0', 'X1', 'Y1'))
    parser.add_argument('--side', choices=['right', 'left'])
    parser.add_argument('--batch-size', type=int, default=16)
    parser.add_argument('--out', default='hands.mp4')
    args = parser.parse_args(argv)

    inferencer = HandPoseInferencer(args.model, batch_size=args.batch_size)
    video = open_pictures(args.video)
    boxes = np.array(args.box) if args.box else None
    results = inferencer.infer(video, boxes=boxes, side=args.side, keep_images=True)
    columns = min(max(len(args.box or ()), 1), 2)
    with VideoWriter(args.out, video.fps or 25.0) as writer:
        for result in results:
            if result.image is None:
                print(result.note, file=sys.stderr)
                continue
            azimuth = 2.0 * writer.frames
            writer.write(side_by_side(result.image, result.hands, hands=columns, azimuth_deg=azimuth))
    print(f'{writer.frames} frames written to {writer.path}')


if __name__ == '__main__':
    run_script(main)
