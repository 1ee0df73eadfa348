"""``mmdualhand test``: measure a checkpoint on a benchmark."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmdualhand import compat
from mmdualhand.apis.evaluate import evaluate, evaluators, fit_test, set_crop, take_network
from mmdualhand.apis.export.estimator import ExportedEstimator
from mmdualhand.apis.export.runners import load_runner
from mmdualhand.apis.load_model import EXPORTED_SUFFIXES
from mmdualhand.apis.reestimate import target_batches
from mmdualhand.cli.common import check_data, load_config, runner_parser
from mmdualhand.engine import reestimate_batch_norm
from mmdualhand.engine.weights import load_weights
from mmdualhand.errors import ConfigError, UnknownNameError
from mmdualhand.models.estimators.root_depth import ROOT_DEPTHS
from mmdualhand.structures import BRANCHES


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = runner_parser('test', 'Measure a checkpoint on a benchmark.')
    parser.add_argument('checkpoint', help='checkpoint of a training run, or a file of mmdualhand export')
    parser.add_argument('--out', metavar='FILE.json', help='write the metrics here')
    parser.add_argument('--dump', metavar='FILE.pkl', help='write all predictions here')
    parser.add_argument(
        '--branches',
        nargs='+',
        choices=BRANCHES,
        help='branches to measure; rgb always is, depth and fused need depth maps',
    )
    parser.add_argument(
        '--root-depth',
        choices=ROOT_DEPTHS,
        help='lift predictions with the root depth that the data give (default), or solve it from the palm',
    )
    parser.add_argument(
        '--reestimate-bn',
        action='store_true',
        help="first fit the batch normalisation to the unlabelled train images of a finetune config's "
        'target stream, and nothing else: the control of every adaptation',
    )
    return parser.parse_args(argv)


def load_benchmark(args: argparse.Namespace) -> Config:
    """The config of the command.

    Raises:
        ConfigError: Nothing to test on.
    """
    cfg = load_config(args)
    if not cfg.get('test_dataloader'):
        raise ConfigError(f'{args.config} has no test_dataloader, so there is nothing to test on')
    return cfg


def prepare(args: argparse.Namespace, checkpoint: dict[str, Any]) -> Config:
    """The benchmark's config with the checkpoint's network in it.

    The network is the one the checkpoint was trained with, so every checkpoint
    runs on every benchmark; a ``model`` in the benchmark's config is used only
    where the checkpoint does not name one. ``--cfg-options`` come last.

    Raises:
        ConfigError: Nothing to test on, or no network is known.
    """
    cfg = load_benchmark(args)
    if not take_network(cfg, checkpoint):
        raise ConfigError(
            f'{args.checkpoint} does not name its network and {args.config} has none: '
            'test with the config that it was trained with'
        )
    overrides = {k: v for k, v in (args.cfg_options or {}).items() if k.split('.')[0] == 'model'}
    cfg.merge_from_dict(overrides)
    fit_test(cfg, args.branches, args.root_depth)
    if args.dump:
        _add_dump(cfg, args.dump)
    return cfg


def _add_dump(cfg: Config, path: str) -> None:
    if not path.endswith(('.pkl', '.pickle')):
        raise ConfigError(f'--dump writes a pickle: end the name in .pkl, got {path}')
    # First, so that predictions are written whatever the metrics say of them.
    cfg.test_evaluator = [ConfigDict(type='DumpResults', out_file_path=path), *evaluators(cfg)]


def main(argv: Sequence[str] | None = None) -> int:
    """Test; returns the exit status."""
    args = parse_args(argv)
    compat.apply_patches(trust_checkpoints=args.trust_checkpoint)
    if Path(args.checkpoint).suffix.lower() in EXPORTED_SUFFIXES:
        return test_exported(args)
    checkpoint = compat.load_from_local(args.checkpoint, map_location='cpu')
    batches = _unlabelled_batches(args, checkpoint) if args.reestimate_bn else None
    cfg = prepare(args, checkpoint)
    compat.init_distributed(cfg.launcher)
    check_data(cfg, 'test_dataloader')
    for path in (args.out, args.dump):
        check_writable(path)
    runner = build_runner(cfg, checkpoint.get('meta', {}))
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    load_weights(model, checkpoint, source=args.checkpoint)
    if batches is not None:
        print(f'batch normalisation re-estimated on {reestimate_batch_norm(model, batches)} batches')
    metrics = runner.test()
    if args.out and is_main_process():
        lines = [line for m in runner.test_evaluator.metrics if (line := getattr(m, 'protocol_line', None))]
        write_metrics(args, metrics, runner.test_dataloader.dataset.metainfo, lines)
    return 0


def test_exported(args: argparse.Namespace) -> int:
    """Measure a file of ``mmdualhand export``; returns the exit status.

    There is no work dir: metrics are printed, and written where ``--out`` says. 3D is lifted with the root
    depth that the data give, unless ``--root-depth`` says otherwise.

    Raises:
        ConfigError: Nothing to test on, or an option that only a checkpoint can follow.
    """
    options = {
        '--branches': any(branch != 'rgb' for branch in args.branches or ()),
        '--reestimate-bn': args.reestimate_bn,
        '--dump': args.dump,
        '--show-dir': args.show_dir,
        '--launcher': args.launcher != 'none',
        '--work-dir': args.work_dir,
        '--cfg-options model...': any(key.split('.')[0] == 'model' for key in args.cfg_options or {}),
    }
    wrong = [name for name, given in options.items() if given]
    if wrong:
        raise ConfigError(
            f'{args.checkpoint} is an exported file, which holds the RGB network alone and is run without a '
            f'Runner: use the checkpoint it was made of for {", ".join(wrong)}'
        )
    estimator = ExportedEstimator(load_runner(args.checkpoint), args.root_depth or 'given')
    cfg = load_benchmark(args)
    set_crop(cfg, estimator.codec.input_size)
    check_data(cfg, 'test_dataloader')
    check_writable(args.out)
    result = evaluate(estimator, cfg)
    for line in result.protocol:
        print(line)
    print('  '.join(f'{name}: {value:.4f}' for name, value in result.metrics.items()))
    if args.out:
        write_metrics(args, result.metrics, result.dataset, result.protocol)
    return 0


def _unlabelled_batches(args: argparse.Namespace, checkpoint: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Train images of the config's target, cropped for the checkpoint's network."""
    cfg = load_config(args)
    take_network(cfg, checkpoint)
    return target_batches(cfg)


def check_writable(path: str | None) -> None:
    """Make the folder of an output file, before the work and not after it.

    Raises:
        ConfigError: The file cannot be written there.
    """
    if path is None:
        return
    folder = Path(path).absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f'{path} cannot be written: {error}') from error
    if not os.access(folder, os.W_OK) or Path(path).is_dir():
        raise ConfigError(f'{path} cannot be written')


def build_runner(cfg: Config, meta: dict[str, Any]) -> Runner:
    """Build the Runner; where a class is unknown, say which modules the training had imported.

    A checkpoint's modules are named, never imported: that would run code from
    a file of weights.

    Raises:
        UnknownNameError: A class is not registered.
    """
    try:
        return Runner.from_cfg(cfg)
    except UnknownNameError as error:
        modules = meta.get('custom_imports') or []
        if not modules:
            raise
        raise UnknownNameError(
            f'{error} The checkpoint was trained with it: --cfg-options custom_imports.imports="{modules}"'
        ) from error


def write_metrics(
    args: argparse.Namespace, metrics: Mapping[str, Any], dataset: Mapping[str, Any], protocol: Sequence[str]
) -> None:
    """Write metrics to ``--out`` with what is needed to understand them, or nothing at all."""
    path = Path(args.out)
    record = {
        'config': args.config,
        'checkpoint': args.checkpoint,
        'dataset': dict(dataset),
        'protocol': list(protocol),
        'batch_norm_reestimated': args.reestimate_bn,
        'metrics': {key: float(value) for key, value in metrics.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'{path.name}.partial')
    partial.write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')
    compat.replace_file(partial, path)
