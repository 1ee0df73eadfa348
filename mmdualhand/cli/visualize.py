"""``mmdualhand visualize``: figures of what networks see on the test pictures of a benchmark."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config, DictAction

from mmdualhand.apis.model_zoo import get_config
from mmdualhand.apis.run_config import override
from mmdualhand.compat import replace_file

PICKS = ('spread', 'quantiles', 'worst', 'gain')
_COLUMNS = 'picture, truth, pose, depth, mask, depth-attention, rgb-attention'


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand visualize',
        description='Draw what networks see on the test pictures of a config.',
    )
    figures = parser.add_subparsers(dest='figure', required=True, metavar='FIGURE')
    attention = _figure(figures, 'attention', 'attention, a row a checkpoint (Figures 1, 5b, 6)')
    _choice(attention, 3)
    attention.add_argument('--columns', nargs='+', metavar='COLUMN', help=_COLUMNS)
    attention.add_argument('--stage', default='stem', help='stem, layer1 ... (default: %(default)s, conv1)')
    attention.add_argument('--own-range', action='store_true', help='colours of each map in its own range')
    compare = _figure(figures, 'compare', 'poses of several checkpoints side by side (Figure 5a)')
    _choice(compare, 4)
    compare.add_argument(
        '--view', default='side', help='front, side, top, orbit, none (default: %(default)s)'
    )
    failures = _figure(figures, 'failures', 'contradicting modalities and self-occlusion (Figure 7)')
    failures.add_argument('--count', type=int, default=3, help='pictures of each kind (default: %(default)s)')
    failures.add_argument('--among', type=int, metavar='N', help='pictures, evenly spread (default: all)')
    features = _figure(figures, 'features', 'features of the contrastive loss in a plane')
    features.add_argument('--among', type=int, default=200, metavar='N', help='pictures, evenly spread')
    features.add_argument('--method', choices=('pca', 'tsne'), default='pca', help='tsne needs scikit-learn')
    features.add_argument('--perplexity', type=float, default=30.0, help='of t-SNE (default: %(default)s)')
    features.add_argument('--seed', type=int, default=0, help='of t-SNE (default: %(default)s)')
    _figure(figures, 'curves', '3D PCK curves (Figure 4)')
    return parser.parse_args(argv)


def _figure(figures: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = figures.add_parser(name, help=text, description=text)
    parser.add_argument('config', help='benchmark: config file, or the name of a shipped config')
    parser.add_argument('checkpoints', nargs='+', metavar='CHECKPOINT', help='files of training runs')
    parser.add_argument('--names', nargs='+', default=[], metavar='NAME', help='one for each checkpoint')
    parser.add_argument('--out', type=Path, default=Path(f'{name}.png'), help='PNG (default: %(default)s)')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='of the config'
    )
    return parser


def _choice(parser: argparse.ArgumentParser, count: int) -> None:
    parser.add_argument('--pick', choices=PICKS, default='spread', help='which (default: %(default)s)')
    parser.add_argument('--count', type=int, default=count, help='pictures (default: %(default)s)')
    parser.add_argument('--samples', type=int, nargs='+', default=[], metavar='N', help='numbers instead')


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the figure asked for; returns the exit status."""
    args = parse_args(argv)
    from mmdualhand.apis.figures import load_networks

    config: Config = get_config(args.config)
    override(config, args.cfg_options)
    networks = load_networks(args.checkpoints, config, args.names)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    _DRAW[args.figure](args, networks)
    print(f'{args.figure}: {args.out}')
    return 0


def _attention(args: argparse.Namespace, networks: Sequence[Any]) -> None:
    from mmdualhand.apis.figures import attention_figure, pick_rows
    from mmdualhand.apis.figures.attention import DEFAULT_COLUMNS

    rows, chosen = pick_rows(networks, args.pick, args.count, args.samples)
    columns = args.columns or DEFAULT_COLUMNS
    figure = attention_figure(
        networks, rows, columns=columns, stage=args.stage, shared=not args.own_range, chosen=chosen
    )
    _write(args.out, figure)


def _compare(args: argparse.Namespace, networks: Sequence[Any]) -> None:
    from mmdualhand.apis.figures import compare_figure, pick_rows

    rows, chosen = pick_rows(networks, args.pick, args.count, args.samples)
    view = None if args.view == 'none' else args.view
    _write(args.out, compare_figure(networks, rows, view=view, chosen=chosen))


def _failures(args: argparse.Namespace, networks: Sequence[Any]) -> None:
    from mmdualhand.apis.figures import failure_figure, pick_rows
    from mmdualhand.errors import ConfigError

    if len(networks) > 1:
        raise ConfigError(f'failures are of one checkpoint, got {len(networks)}')
    size = len(networks[0].network.dataset)
    rows = list(range(size)) if args.among is None else pick_rows(networks, 'spread', args.among)[0]
    figure, failures = failure_figure(networks[0], rows, args.count)
    _write(args.out, figure)
    lines = [
        dict(
            sample=row,
            name=one.look.name,
            disagreement=one.disagreement,
            hidden=one.hidden,
            error=one.error,
        )
        for row, one in zip(rows, failures, strict=True)
    ]
    _write_json(args.out.with_suffix('.json'), lines)


def _features(args: argparse.Namespace, networks: Sequence[Any]) -> None:
    from mmdualhand.apis.figures import feature_figure, pick_rows

    rows, _ = pick_rows(networks, 'spread', args.among)
    found = feature_figure(
        networks, rows, args.out, method=args.method, perplexity=args.perplexity, seed=args.seed
    )
    for one in found:
        for pair, cosine in one['cosines'].items():
            words = f'cosine {cosine["same"]:.3f} of the same picture, {cosine["other"]:.3f} of others'
            print(f'{one["name"]} ({one["features"]}), {pair}: {words}')
    _write_json(args.out.with_suffix('.json'), found)


def _curves(args: argparse.Namespace, networks: Sequence[Any]) -> None:
    from mmdualhand.apis.figures import pck_figure

    found = pck_figure(networks, args.out, Path(args.config).stem)
    for one in found:
        values = ', '.join(f'{key} {value:.3f}' for key, value in one['metrics'].items())
        print(f'{one["name"]}: {values}')
    _write_json(args.out.with_suffix('.json'), found)


_DRAW: dict[str, Callable[[argparse.Namespace, Sequence[Any]], None]] = {
    'attention': _attention,
    'compare': _compare,
    'failures': _failures,
    'features': _features,
    'curves': _curves,
}


def _write(file: Path, figure: np.ndarray) -> None:
    partial = file.with_name(f'.{file.name}.partial')
    partial.write_bytes(cv2.imencode('.png', cv2.cvtColor(figure, cv2.COLOR_RGB2BGR))[1].tobytes())
    replace_file(partial, file)


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(_plain(content), indent=2) + '\n', encoding='utf-8')


def _plain(value: Any) -> Any:
    """What JSON has; numbers that are not finite become null."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
