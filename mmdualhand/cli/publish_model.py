"""``mmdualhand publish-model``: a checkpoint for others."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmdualhand import compat
from mmdualhand.apis.publish import publish_model


def main(argv: Sequence[str] | None = None) -> int:
    """Publish; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand publish-model',
        description='Write the weights of a training, its network and its calibration to a small file.',
    )
    parser.add_argument('checkpoint', help='checkpoint of a training')
    parser.add_argument('--out', metavar='NAME.pth', help='name without the digits of the hash')
    parser.add_argument('--config', help='where the checkpoint does not name its network')
    parser.add_argument('--calibration', metavar='FILE.json', help='what mmdualhand calibrate wrote')
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='load a checkpoint that holds more than tensors; code in it runs on this machine',
    )
    args = parser.parse_args(argv)
    compat.apply_patches(trust_checkpoints=args.trust_checkpoint)
    before = Path(args.checkpoint).expanduser()
    file = publish_model(before, args.out, config=args.config, calibration=args.calibration)
    print(f'{file}: {file.stat().st_size / 1e6:.2f} MB of {before.stat().st_size / 1e6:.2f} MB')
    return 0
