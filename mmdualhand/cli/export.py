"""``mmdualhand export``: the RGB path of a network for other programs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from mmdualhand import compat
from mmdualhand.apis.export.int8_file import is_int8
from mmdualhand.apis.export.write import export_network
from mmdualhand.apis.hand_crops import box_crop, cut
from mmdualhand.apis.load_model import init_model
from mmdualhand.apis.pictures import open_pictures
from mmdualhand.cli.common import add_trust_option, require_weights
from mmdualhand.errors import DataError
from mmdualhand.evaluation.calibration import Calibration

MAX_PICTURES = 16
"""That files are compared on."""
MAX_RANGES = 64
"""That a file in 8-bit integers takes its ranges from."""
MIN_PICTURES = 10
"""That a file in 8-bit integers needs, for the ranges and to compare on."""


def main(argv: Sequence[str] | None = None) -> int:
    """Export and print the comparisons; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand export',
        description='Write the RGB-only network, pixels in and keypoints out, as ONNX or TorchScript.',
    )
    parser.add_argument('model', help='checkpoint, or a config with --checkpoint')
    parser.add_argument('--checkpoint', help='weights for the network of a config')
    parser.add_argument(
        '--out',
        nargs='+',
        metavar='FILE',
        help='files ending in .onnx, .int8.onnx or .ts; default: the name of the checkpoint with .onnx',
    )
    parser.add_argument('--calibration', metavar='FILE.json', help='what mmdualhand calibrate wrote')
    parser.add_argument(
        '--pictures',
        help=f'picture, folder or pattern to compare on, {MAX_PICTURES} at most (made-up crops without); '
        f'for .int8.onnx, hands as the network will see them: {MAX_RANGES} more set the ranges of numbers',
    )
    add_trust_option(parser)
    args = parser.parse_args(argv)
    compat.apply_patches(trust_checkpoints=args.trust_checkpoint)
    require_weights(args.model, args.checkpoint)
    model = init_model(args.model, args.checkpoint, device='cpu')
    weights = args.checkpoint or args.model
    calibration = getattr(model, 'checkpoint_meta', {}).get('calibration')
    if args.calibration:
        calibration = Calibration.load(args.calibration).to_dict()
    out = args.out or [f'{Path(weights).with_suffix("")}.onnx']
    crops = ranges = None
    if args.pictures is not None:
        int8 = any(is_int8(Path(file)) for file in out)
        crops = read_crops(args.pictures, model.codec.input_size, MAX_PICTURES + MAX_RANGES * int8)
        crops, ranges = split_crops(crops, args.pictures) if int8 else (crops, None)
    report = export_network(
        model, out, crops=crops, range_crops=ranges, calibration=calibration, source=Path(weights).name
    )
    on = 'made-up crops' if crops is None else f'{len(crops)} pictures'
    print(f'Largest differences from the network in torch over all joints, on {on}:')
    for line in (*report.parities, *report.notes):
        print(f'  {line}')
    for file in report.files:
        print(f'{file}: {file.stat().st_size / 1e6:.2f} MB')
    return 0


def split_crops(crops: np.ndarray, pictures: str) -> tuple[np.ndarray, np.ndarray]:
    """Every fifth to compare on, the others for the ranges of a file in 8-bit integers.

    Args:
        crops: ``(B, h, w, 3)`` uint8.
        pictures: Where they are from, for messages.

    Returns:
        Both parts.

    Raises:
        DataError: There are fewer than :data:`MIN_PICTURES`.
    """
    if len(crops) < MIN_PICTURES:
        raise DataError(
            f'{pictures} has {len(crops)} picture(s) that can be read, 8-bit integers need {MIN_PICTURES}: '
            'the ranges of their numbers come from them, and every fifth is kept to compare on; '
            f'{MAX_PICTURES + MAX_RANGES} are used if there'
        )
    compared = np.arange(len(crops)) % 5 == 0
    return crops[compared], crops[~compared]


def read_crops(pictures: str, input_size: tuple[int, int], most: int = MAX_PICTURES) -> np.ndarray:
    """Whole pictures as crops.

    Args:
        pictures: What :func:`~mmdualhand.apis.pictures.open_pictures` takes.
        input_size: ``(w, h)`` of the crops, px.
        most: So many at most.

    Returns:
        ``(B, h, w, 3)`` uint8, the first ``most`` that can be read.

    Raises:
        DataError: None can be read.
        MissingFileError: There are no such pictures.
    """
    images = (picture.image for picture in open_pictures(pictures).pictures)
    crops = [
        cut(image, box_crop(None, (image.shape[1], image.shape[0]), input_size, 1.0, mirror=False))
        for image in islice((image for image in images if image is not None), most)
    ]
    if not crops:
        raise DataError(f'none of the pictures of {pictures} can be read')
    return np.stack(crops)
