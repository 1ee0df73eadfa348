"""``mmdualhand convert-to-coco``: write any dataset to one COCO json."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from mmdualhand.apis.model_zoo import get_config
from mmdualhand.cli.browse_dataset import SPLITS, dataset_config
from mmdualhand.cli.common import override
from mmdualhand.datasets.coco_export import write_coco
from mmdualhand.errors import ConfigError
from mmdualhand.registry import DATASETS


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand convert-to-coco',
        description='Write the records of a dataset to one COCO json, exactly, in the form that MMPose '
        'reads. Pictures stay where they are and are named relative to the root.',
    )
    parser.add_argument('source', help='a dataset class such as RHDDataset, or a config')
    parser.add_argument('--out', required=True, type=Path, help='the json')
    parser.add_argument('--root', type=Path, help='folder of the dataset')
    parser.add_argument('--split', help='split of the dataset')
    parser.add_argument('--dataloader', choices=SPLITS, help='of a config (default: the first it has)')
    parser.add_argument(
        '--options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='other options of the dataset class, e.g. on_error=skip selection.min_visible=0',
    )
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    parser.add_argument('--overwrite', action='store_true', help='replace a file that is there')
    return parser.parse_args(argv)


def dataset_options(args: argparse.Namespace) -> dict[str, Any]:
    """Config of the dataset that the command line names.

    Raises:
        ConfigError: An option fits no dataset class, or the config has no such
            dataloader.
        UnknownNameError: There is no such dataset class.
    """
    if args.source.isidentifier() and args.source[0].isupper():
        if args.dataloader or args.cfg_options:
            raise ConfigError(
                f'--dataloader and --cfg-options are for configs; {args.source} takes --root, --split and '
                '--options'
            )
        settings: dict[str, Any] = {'type': args.source}
    else:
        config = get_config(args.source)
        override(config, args.cfg_options)
        settings = {**dataset_config(config, args.dataloader)[1]}
    given = {'data_root': args.root and str(args.root), 'split': args.split}
    settings.update({key: value for key, value in given.items() if value is not None})
    merged = Config(dict(dataset={**settings, 'pipeline': []}))
    merged.merge_from_dict({f'dataset.{key}': value for key, value in args.options.items()})
    return merged.dataset.to_dict()


def main(argv: Sequence[str] | None = None) -> int:
    """Write the json; returns the exit status."""
    args = parse_args(argv)
    if args.out.exists() and not args.overwrite:
        raise ConfigError(f'{args.out} is there already; choose another --out, or give --overwrite')
    dataset = DATASETS.build(dataset_options(args))
    count = write_coco(dataset, args.out, args.root)
    root = args.root or dataset.data_root
    print(f'{count} hands of {dataset.metainfo["dataset_name"]} in {args.out}; to read them:')
    print(f"dict(type='CocoHandDataset', data_root={str(root)!r}, ann_file={str(args.out.absolute())!r})")
    return 0
