"""``mmdualhand infer``: hands of pictures and videos, drawn and as numbers."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand import compat
from mmdualhand.apis.detectors import MediaPipeDetector
from mmdualhand.apis.inferencer import HandPoseInferencer
from mmdualhand.apis.pictures import open_pictures
from mmdualhand.apis.result_writer import ResultWriter
from mmdualhand.apis.split_photos import PHOTO_SPLITS, split_photos
from mmdualhand.cli.common import add_trust_option, require_weights
from mmdualhand.errors import ConfigError, MissingFileError
from mmdualhand.structures import SIDES


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand infer', description='Find the joints of hands in pictures and videos.'
    )
    parser.add_argument(
        'input', help='picture, video, folder, quoted pattern, .txt list, number of a camera, address'
    )
    parser.add_argument('model', help='checkpoint, exported .onnx or .ts file, or a config with --checkpoint')
    parser.add_argument('--checkpoint', help='weights, where the model is a config')
    parser.add_argument(
        '--split',
        choices=PHOTO_SPLITS,
        help='only these photos of a folder in the layout of Ge et al. (splits.json, *.mat)',
    )
    parser.add_argument('--out', default='work_dirs/infer', help='folder to write (default %(default)s)')
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        '--box', nargs=4, type=float, action='append', metavar=('X0', 'Y0', 'X1', 'Y1'),
        help='a hand in every picture, px; again for more hands. Without: the whole picture',
    )  # fmt: skip
    where.add_argument('--boxes', metavar='FILE.json', help='object: file name to a list of boxes')
    where.add_argument('--detector', choices=['mediapipe'], help='find hands with this optional package')
    parser.add_argument('--detector-model', metavar='FILE', help='hand_landmarker.task, for newer mediapipe')
    parser.add_argument('--box-scale', type=float, default=1.5, help='side of the crop over that of the box')
    parser.add_argument('--side', choices=SIDES, help='of every hand; without, both are tried')
    parser.add_argument(
        '--camera', nargs=4, type=float, metavar=('FX', 'FY', 'CX', 'CY'), help='intrinsics, px'
    )
    parser.add_argument('--ref-length', type=float, metavar='MM', help='length of the bone middle MCP to PIP')
    parser.add_argument('--root-depth', type=float, metavar='MM', help='depth of the middle MCP')
    parser.add_argument('--calibration', metavar='FILE.json', help='what mmdualhand calibrate wrote')
    parser.add_argument('--device', help='cpu, cuda:0, ...')
    parser.add_argument('--batch-size', type=int, default=16)
    parser.add_argument('--video', action='store_true', help='also make a video of pictures')
    parser.add_argument('--fps', type=float, help='of the video (default: that of the input, 5 for pictures)')
    parser.add_argument('--height', type=int, default=480, help='of what is drawn, px (default %(default)s)')
    parser.add_argument('--no-draw', action='store_true', help='write the numbers alone')
    parser.add_argument('--max-frames', type=int, help='stop after as many pictures')
    add_trust_option(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Predict; returns the exit status: 1 where not one picture could be read."""
    args = parse_args(argv)
    _check(args)
    compat.apply_patches(trust_checkpoints=args.trust_checkpoint)
    given = _input(args)
    shared = None if args.box is None else np.array(args.box)  # an array: for every picture
    boxes = shared if args.boxes is None else read_box_file(args.boxes)
    detector = MediaPipeDetector(args.detector_model) if args.detector else None
    inferencer = HandPoseInferencer(
        args.model,
        args.checkpoint,
        args.device,
        detector=detector,
        batch_size=args.batch_size,
        box_scale=args.box_scale,
        calibration=args.calibration,
    )
    source = open_pictures(given)
    results = inferencer.infer(
        source,
        boxes=boxes,
        side=args.side,
        camera=args.camera,
        ref_length=args.ref_length,
        root_depth=args.root_depth,
        keep_images=not args.no_draw,
    )
    film, draw = source.fps is not None or source.live, not args.no_draw
    writer = ResultWriter(
        args.out,
        args.model,
        pictures=draw and not film,
        video=draw and (film or args.video),
        fps=args.fps or source.fps or (25.0 if film else 5.0),
        height=args.height,
    )
    start = time.perf_counter()
    with writer:
        for result in results:
            writer.write(result)
            if writer.count == args.max_frames:
                break
    _report(writer, time.perf_counter() - start)
    return 0 if writer.read else 1


def _input(args: argparse.Namespace) -> Any:
    """What ``open_pictures`` takes."""
    if args.split is not None:
        return split_photos(args.input, args.split)
    return int(args.input) if args.input.isdigit() and not Path(args.input).exists() else args.input


def _check(args: argparse.Namespace) -> None:
    """Refuse what contradicts itself, before anything is loaded."""
    if args.no_draw and args.video:
        raise ConfigError('--no-draw writes the numbers alone and --video a video: leave one of them out')
    if args.max_frames is not None and args.max_frames < 1:
        raise ConfigError(f'--max-frames must be at least 1, got {args.max_frames}')
    require_weights(args.model, args.checkpoint)


def read_box_file(path: str) -> dict[str, Any]:
    """Read ``--boxes``: file name to boxes.

    Raises:
        MissingFileError: There is no such file.
        ConfigError: It holds something else.
    """
    try:
        content = json.loads(Path(path).read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise MissingFileError(f'the file of boxes {path} is not there') from None
    except ValueError as error:
        raise ConfigError(f'{path} is not JSON: {error}') from error
    if not isinstance(content, dict):
        raise ConfigError(f'{path} must hold an object, file name to a list of boxes [x0, y0, x1, y1]')
    return content


def _report(writer: ResultWriter, seconds: float) -> None:
    for note in writer.notes:
        print(note, file=sys.stderr)
    rate = writer.count / seconds if seconds > 0 else 0.0
    print(
        f'{writer.count} pictures, {writer.hands} hands, {len(writer.notes)} notes; {seconds:.1f} s, '
        f'{rate:.1f} pictures a second; see {writer.out}'
    )
