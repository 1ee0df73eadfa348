"""``mmdualhand export``: the RGB path of a network for other programs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from mmdualhand import compat
from mmdualhand.apis.export.write import export_network
from mmdualhand.apis.hand_crops import box_crop, cut
from mmdualhand.apis.load_model import init_model
from mmdualhand.apis.pictures import open_pictures
from mmdualhand.cli.common import add_trust_option, require_weights
from mmdualhand.errors import DataError
from mmdualhand.evaluation.calibration import Calibration

MAX_PICTURES = 16


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
        help='files ending in .onnx or .ts; default: the name of the checkpoint with .onnx',
    )
    parser.add_argument('--calibration', metavar='FILE.json', help='what mmdualhand calibrate wrote')
    parser.add_argument(
        '--pictures',
        help=f'picture, folder or pattern to compare on, {MAX_PICTURES} at most (made-up crops without)',
    )
    add_trust_option(parser)
    args = parser.parse_args(argv)
    compat.apply_patches(trust_checkpoints=args.trust_checkpoint)
    require_weights(args.model, args.checkpoint)
    model = init_model(args.model, args.checkpoint, device='cpu')
    weights = args.checkpoint or args.model
    crops = None if args.pictures is None else read_crops(args.pictures, model.codec.input_size)
    calibration = getattr(model, 'checkpoint_meta', {}).get('calibration')
    if args.calibration:
        calibration = Calibration.load(args.calibration).to_dict()
    out = args.out or [f'{Path(weights).with_suffix("")}.onnx']
    report = export_network(model, out, crops=crops, calibration=calibration, source=Path(weights).name)
    on = 'made-up crops' if crops is None else f'{len(crops)} pictures'
    print(f'Largest differences from the network in torch over all joints, on {on}:')
    for line in (*report.parities, *report.notes):
        print(f'  {line}')
    for file in report.files:
        print(f'{file}: {file.stat().st_size / 1e6:.2f} MB')
    return 0


def read_crops(pictures: str, input_size: tuple[int, int]) -> np.ndarray:
    """Whole pictures as crops.

    Args:
        pictures: What :func:`~mmdualhand.apis.pictures.open_pictures` takes.
        input_size: ``(w, h)`` of the crops, px.

    Returns:
        ``(B, h, w, 3)`` uint8, the first :data:`MAX_PICTURES` that can be read.

    Raises:
        DataError: None can be read.
        MissingFileError: There are no such pictures.
    """
    images = (picture.image for picture in open_pictures(pictures).pictures)
    crops = [
        cut(image, box_crop(None, (image.shape[1], image.shape[0]), input_size, 1.0, mirror=False))
        for image in islice((image for image in images if image is not None), MAX_PICTURES)
    ]
    if not crops:
        raise DataError(f'none of the pictures of {pictures} can be read')
    return np.stack(crops)
