"""``mmdualhand calibrate``: make the confidences of a network probabilities, and check them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from mmdualhand import compat
from mmdualhand.apis.calibrate import CalibrationReport, JointScores, calibrate, collect_scores, trust_table
from mmdualhand.apis.model_zoo import get_config
from mmdualhand.apis.run_config import check_data
from mmdualhand.apis.trust_bounds import TrustBounds
from mmdualhand.codecs import NEAR_SHARE
from mmdualhand.codecs.pose25d import SCORES
from mmdualhand.errors import ConfigError
from mmdualhand.visualization.trust_charts import draw_trust


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand calibrate',
        description="Fit the map from a joint's score to the probability that its 2D error is small, on one "
        "part of the source's test pictures; test it on the rest and on targets, from which nothing is "
        'fitted.',
    )
    parser.add_argument('checkpoint', help='checkpoint of a training run')
    parser.add_argument('--source', default='benchmarks/rhd', help='config (default: %(default)s)')
    parser.add_argument('--targets', nargs='*', default=[], metavar='CONFIG', help='configs of targets')
    parser.add_argument('--out', type=Path, help='folder (default: work_dirs/calibration/RUN)')
    parser.add_argument('--share', type=float, default=0.5, help="of the source's pictures to fit on")
    parser.add_argument('--seed', type=int, default=0, help='of the draw of these pictures')
    parser.add_argument('--threshold', type=float, default=NEAR_SHARE, help='of a right joint, crop sides')
    parser.add_argument('--limit', type=int, help='use so many hands of each set at most')
    parser.add_argument('--score', choices=SCORES, help='of a 2.5D network, to compare (default: its own)')
    parser.add_argument('--trust-checkpoint', action='store_true', help='load one with more than tensors')
    args = parser.parse_args(argv)
    for name in ('share', 'threshold'):
        if not 0 < getattr(args, name) < 1:
            raise ConfigError(f'--{name} must lie between 0 and 1, got {getattr(args, name)}')
    if not 0 <= args.seed < 2**32:
        raise ConfigError(f'--seed must lie in 0..2**32-1, got {args.seed}')
    if args.limit is not None and args.limit < 2:
        raise ConfigError(f'--limit must be 2 or more, got {args.limit}')
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Fit, test, write and print; returns the exit status."""
    args = parse_args(argv)
    compat.apply_patches(trust_checkpoints=args.trust_checkpoint)
    checkpoint = Path(args.checkpoint)
    names = [args.source, *args.targets]
    configs = {name: _config(name) for name in names}
    found: dict[str, JointScores] = {}
    for name, config in configs.items():
        found[name] = collect_scores(checkpoint, config, name, limit=args.limit, score=args.score)
        print(f'{name}: {len(found[name].score)} hands')
    targets = {name: found[name] for name in args.targets}
    report = calibrate(
        found[args.source], targets, share=args.share, seed=args.seed, threshold=args.threshold
    )
    out = args.out or Path('work_dirs') / 'calibration' / (checkpoint.parent.name or checkpoint.stem)
    _write(report, found, out, args)
    result = report.calibration
    print(f'\n{result.score}, temperature {result.temperature:.3f}, fitted on {result.fitted_on}\n')
    print(trust_table(report))
    print(f'\n{report.source.name}:\n{TrustBounds.of(report.source)}')
    print(f'\ncalibration, report and chart: {out}')
    return 0


def _config(name: str) -> Config:
    """The config of a benchmark whose pictures are there."""
    cfg = get_config(name)
    if not cfg.get('test_dataloader'):
        raise ConfigError(f'{name} has no test_dataloader, so it has no test pictures')
    check_data(cfg, 'test_dataloader')
    return cfg


def _write(
    report: CalibrationReport, found: dict[str, JointScores], out: Path, args: argparse.Namespace
) -> None:
    """Three files: what to use, what it is worth, and a picture of that."""
    report.calibration.save(out / 'calibration.json')
    record = {
        'checkpoint': args.checkpoint,
        'calibration': report.calibration.to_dict(),
        'datasets': {name: scores.dataset for name, scores in found.items()},
        'measured': [row.to_dict() for row in report.rows],
        'bounds': TrustBounds.of(report.source).to_dict(),
    }
    partial = out / 'report.json.partial'
    partial.write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')
    compat.replace_file(partial, out / 'report.json')
    shown = (report.source, *report.targets)
    draw_trust(
        {row.name: row.bins for row in shown},
        {row.name: row.wrong for row in shown},
        out / 'reliability.png',
        f'{"/".join(Path(args.checkpoint).parts[-2:])}: right is below {args.threshold:g} of the crop',
    )
