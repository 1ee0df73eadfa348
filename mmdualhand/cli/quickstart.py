"""``mmdualhand quickstart``: render hands, pre-train on them, test and draw, in one command."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmdualhand.apis.model_zoo import get_config
from mmdualhand.cli.mean_pose import measure
from mmdualhand.compat import replace_file
from mmdualhand.errors import HandUserError
from mmdualhand.structures import BRANCHES

CONFIG = 'mini/pretrain_rhd'
COLUMNS = ('PCK@0.05', 'EPE', 'EPE_root', 'EPE_PA', 'AUC')


class StepFailedError(HandUserError, RuntimeError):
    """A step ended with an error, which it has printed itself."""


@dataclass
class Clock:
    """Names of the steps and the seconds they took."""

    steps: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step and announce it."""
        print(f'\n== {name}', flush=True)
        start = time.perf_counter()
        yield
        self.steps.append((name, time.perf_counter() - start))
        print(f'== {name}: {self.steps[-1][1]:.0f} s', flush=True)


def run_step(*arguments: str | Path) -> None:
    """Run a command of the toolbox in a process of its own, its output visible.

    Raises:
        StepFailedError: It failed.
    """
    command = [sys.executable, '-m', 'mmdualhand', *map(str, arguments)]
    # Half the cores compute, the others load: threads that wait for a busy core cost more than they give.
    env = {'OMP_NUM_THREADS': str(max((os.cpu_count() or 2) // 2, 1)), **os.environ}
    if subprocess.run(command, env=env).returncode:
        raise StepFailedError(f'this step failed, see above: mmdualhand {" ".join(map(str, arguments))}')


def results_table(metrics: dict[str, float], mean_pose: float, hands: tuple[int, int]) -> str:
    """Markdown table of the constant predictor and the three branches.

    Args:
        metrics: What ``test`` wrote.
        mean_pose: ``EPE_root`` of the constant mean training pose, mm.
        hands: Number of training and test hands.
    """
    lines = [
        f'Embedded data (rendered hands), {hands[0]} training and {hands[1]} test hands. EPE in mm, camera',
        'frame, true root depth; root: root-aligned; PA: after Procrustes. AUC of the 3D PCK, 20 to 50 mm.',
        '',
        f'| predictor | {" | ".join(COLUMNS)} | EPE_root / mean pose |',
        f'|---|{"---|" * (len(COLUMNS) + 1)}',
        f'| constant mean training pose | | | {mean_pose:.2f} | | | 1.00 |',
    ]
    for branch in BRANCHES:
        prefix = '' if branch == 'rgb' else f'{branch}/'
        values = {key: metrics[f'{prefix}{key}'] for key in COLUMNS}
        cells = [f'{v:.3f}' if key in ('PCK@0.05', 'AUC') else f'{v:.2f}' for key, v in values.items()]
        name = branch if branch == 'rgb' else f'{branch}, with the true depth map'
        lines.append(f'| {name} | {" | ".join(cells)} | {values["EPE_root"] / mean_pose:.2f} |')
    return '\n'.join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Do everything; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand quickstart',
        description='Render procedural hands, pre-train a small network on them, test it and draw pictures.',
    )
    parser.add_argument('--work-dir', default='work_dirs/quickstart', type=Path)
    parser.add_argument('--data', default='data/mini', type=Path, help='folder of the embedded data')
    parser.add_argument('--num', default=2000, type=int, help='training pictures to render')
    parser.add_argument('--seed', default=0, type=int)
    parser.add_argument('--pictures', default=24, type=int, help='test samples to draw')
    args = parser.parse_args(argv)
    clock = Clock()
    root = args.data / 'RHD_published_v2'
    options = [f'{name}_dataloader.dataset.data_root={root}' for name in ('train', 'val', 'test')]
    with clock.step('render'):
        sizes = ['--num', args.num, '--seed', args.seed]
        run_step('make-mini-benchmark', '--out', args.data, '--only', 'rhd', *sizes)
    with clock.step('pre-train'):
        seed = f'randomness.seed={args.seed}'
        run_step('train', CONFIG, '--work-dir', args.work_dir, '--amp', '--cfg-options', *options, seed)
    with clock.step('test'):
        metrics = _test(args, options)
    with clock.step('mean pose'):
        cfg = get_config(CONFIG)
        cfg.merge_from_dict(dict(option.split('=', 1) for option in options))
        error, *hands = measure(cfg)
    _report(args.work_dir, results_table(metrics, error, (hands[0], hands[1])), clock)
    return 0


def _test(args: argparse.Namespace, options: list[str]) -> dict[str, float]:
    checkpoint = Path((args.work_dir / 'last_checkpoint').read_text())
    out = args.work_dir / 'metrics.json'
    more = ['model.test_cfg.attention=True', f'default_hooks.visualization.max_images={args.pictures}']
    run_step(
        'test', CONFIG, checkpoint, '--work-dir', args.work_dir, '--branches', *BRANCHES, '--out', out,
        '--show-dir', 'pictures', '--cfg-options', options[-1], *more,
    )  # fmt: skip
    record: dict[str, Any] = json.loads(out.read_text(encoding='utf-8'))
    return record['metrics']


def _report(work_dir: Path, table: str, clock: Clock) -> None:
    times = '\n'.join(f'- {name}: {seconds:.0f} s' for name, seconds in clock.steps)
    text = f'# Quickstart\n\n{table}\n\nTime of each step:\n\n{times}\n'
    partial = work_dir / 'results.md.partial'
    partial.write_text(text, encoding='utf-8')
    replace_file(partial, work_dir / 'results.md')
    print(f'\n{text}\nTable: {work_dir / "results.md"}; pictures: {work_dir / "pictures"}', flush=True)
