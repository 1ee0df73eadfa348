"""Follow a hand before a camera: python demo/webcam_demo.py CHECKPOINT [--input VIDEO --out OUT.mp4]."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress

import cv2

from mmdualhand import HandPoseInferencer
from mmdualhand.apis.export.runners import OpenVINORunner
from mmdualhand.apis.hand_tracking import HandTracker
from mmdualhand.apis.pictures import PictureSource, open_pictures
from mmdualhand.apis.prefetch import prefetch
from mmdualhand.apis.video_writer import VideoWriter
from mmdualhand.errors import run_script
from mmdualhand.visualization import letters, side_by_side


def follow(source: PictureSource, tracker: HandTracker) -> Iterator[tuple]:
    """Every frame, its hand, and ms; a file is as old as its frames say, a camera as the clock says."""
    images = (one.image for one in source.pictures if one.image is not None)
    for number, image in enumerate(prefetch(images, 0 if source.live else 4)):
        begun = time.perf_counter()
        hand = tracker.step(image, begun if source.live else number / (source.fps or 25.0))
        yield image, [hand] if hand else [], 1000 * (time.perf_counter() - begun)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', help='checkpoint or exported file')
    parser.add_argument('--openvino', action='store_true', help='run an .onnx file with OpenVINO')
    parser.add_argument('--input', default='0', help='number of the camera, or a video')
    parser.add_argument('--side', choices=['right', 'left'])
    parser.add_argument('--out', help='write what is shown here')
    parser.add_argument('--no-window', action='store_true')
    args = parser.parse_args(argv)
    model = OpenVINORunner(args.model) if args.openvino else args.model
    tracker = HandTracker(HandPoseInferencer(model), args.side)
    source = open_pictures(int(args.input) if args.input.isdigit() else args.input)
    start, count, rate = time.perf_counter(), 0, 0.0
    film = VideoWriter(args.out, source.fps or 25.0) if args.out else nullcontext()
    with film as writer, suppress(KeyboardInterrupt):
        for image, hands, latency in prefetch(follow(source, tracker), 0 if source.live else 2):
            frame = side_by_side(image, hands)
            letters.write_text(frame, f'{latency:.0f} ms, {rate:.0f} fps', 8, 454, 16, (255,) * 3, bold=True)
            if writer:
                writer.write(frame)
            if not args.no_window:
                cv2.imshow('hand, Ctrl-C to end', cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
                cv2.waitKey(1)
            count, rate = count + 1, (count + 1) / (time.perf_counter() - start)
    print(f'{count} frames, {rate:.1f} frames a second end to end')


if __name__ == '__main__':
    run_script(main)
