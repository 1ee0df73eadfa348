"""``mmdualhand benchmark-export``: the exported network against a top-down ResNet-101 on the CPU."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import torch

from mmdualhand import compat
from mmdualhand.apis.export.baseline import Baseline, run_once, topdown_baseline
from mmdualhand.apis.export.int8_file import INT8_SUFFIX, write_int8
from mmdualhand.apis.export.parity import compare, made_up_crops
from mmdualhand.apis.export.runners import OnnxRunner, OpenVINORunner, Runner, TorchRunner, openvino_has_bf16
from mmdualhand.apis.export.speed import time_rounds
from mmdualhand.apis.export.write import export_network
from mmdualhand.apis.load_model import init_model
from mmdualhand.cli.export import MAX_PICTURES, MAX_RANGES, read_crops, split_crops
from mmdualhand.models.rgb_path import rgb_path

ROUNDS = {1: 11, 8: 5}
"""Batch size to rounds."""
CLOCKS = {'wall': time.perf_counter, 'cpu': time.process_time}
GOALS = {'fp32': 1.8, 'bf16': 3.5}
RANGE_CROPS = 4
"""Made-up crops for the ranges of 8-bit integers; speed does not depend on them."""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand benchmark-export',
        description='Time the exported RGB-only network against a top-down ResNet-101, in one process.',
    )
    parser.add_argument('model', nargs='?', default='pretrain_rhd', help='config or checkpoint (%(default)s)')
    parser.add_argument('--threads', type=int, default=1, help='of every form (default %(default)s)')
    parser.add_argument('--batch-sizes', type=int, nargs='+', default=[1, 8])
    parser.add_argument('--rounds', type=int, help='of every batch size; default 11 for 1, 5 for others')
    parser.add_argument(
        '--clock',
        choices=list(CLOCKS),
        default='wall',
        help='cpu: processor time, where other work shares the cores (with one thread)',
    )
    parser.add_argument(
        '--shift-of', metavar='CHECKPOINT', help='print how far bf16 and int8 move this network'
    )
    parser.add_argument('--pictures', help='to print that shift on; made-up crops, and no int8, without')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Time and print; returns the exit status."""
    args = parse_args(argv)
    compat.apply_patches()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    baseline = topdown_baseline()
    with tempfile.TemporaryDirectory() as folder:
        if args.shift_of:
            _print_shift(args.shift_of, args.pictures, Path(folder))
        model = init_model(args.model, device='cpu')
        print(f'baseline: {baseline.name}' + (f'; {baseline.note}' if baseline.note else ''))
        how = f'{args.threads} thread(s), {args.clock} time'
        print(f'{how}; median of rounds that run each form once; x: baseline over form')
        forms = _forms(model, Path(folder), args.threads)
        for batch in args.batch_sizes:
            _time_batch(baseline, forms, batch, args.rounds or ROUNDS.get(batch, 5), args.clock)
    return 0


def _forms(model: Any, folder: Path, threads: int) -> dict[str, Runner]:
    """Every way of running the network that this machine has."""
    file, small = folder / 'network.onnx', folder / f'network{INT8_SUFFIX}'
    report = export_network(model, [file])
    write_int8(file, small, made_up_crops(report.facts.input_size, RANGE_CROPS))
    for parity in report.parities:
        print(f'  {parity}')
    forms: dict[str, Runner] = {
        'torch, eager': TorchRunner(rgb_path(model)),
        'onnxruntime fp32': OnnxRunner(file, threads),
        'OpenVINO fp32': OpenVINORunner(file, threads),
    }
    if openvino_has_bf16():
        forms['OpenVINO bf16'] = OpenVINORunner(file, threads, 'bf16')
    else:
        print('OpenVINO bf16: skipped, this CPU has neither avx512_bf16 nor AMX')
    forms['onnxruntime int8'] = OnnxRunner(small, threads)
    forms['OpenVINO int8'] = OpenVINORunner(small, threads)
    return forms


def _time_batch(
    baseline: Baseline, forms: dict[str, Runner], batch: int, rounds: int, clock: str = 'wall'
) -> None:
    size = next(iter(forms.values())).facts.input_size
    crops = made_up_crops(size, batch)
    images = torch.from_numpy(crops).permute(0, 3, 1, 2).contiguous().float() / 255

    def calls(runner: Runner) -> Callable[[], object]:
        return lambda: runner(crops)

    timed: dict[str, Callable[[], object]] = {baseline.name: lambda: run_once(baseline, images)}
    timed.update({name: calls(runner) for name, runner in forms.items()})
    print(f'batch {batch}, {size[0]} x {size[1]} px, {rounds} rounds')
    for name, timing in time_rounds(timed, rounds, CLOCKS[clock]).items():
        goal = next((value for key, value in GOALS.items() if name.endswith(key)), None)
        wanted = '' if goal is None else f'  (goal {goal}x)'
        print(f'  {name:36} {timing.milliseconds:9.1f} ms {timing.ratio:6.2f}x{wanted}')


def _print_shift(checkpoint: str, pictures: str | None, folder: Path) -> None:
    """Keypoints in bf16 and int8 against those in fp32, of trained weights."""
    model = init_model(checkpoint, device='cpu')
    size = model.codec.input_size
    crops, ranges = made_up_crops(size, 8), None
    if pictures is not None:
        crops, ranges = split_crops(read_crops(pictures, size, MAX_PICTURES + MAX_RANGES), pictures)
    file, small = folder / 'trained.onnx', folder / f'trained{INT8_SUFFIX}'
    export_network(model, [file])
    expected = OnnxRunner(file)(crops)
    on = 'made-up crops' if pictures is None else 'pictures'
    print(f'largest shift of {Path(checkpoint).name} on {len(crops)} {on} of {size[0]} x {size[1]} px:')
    if openvino_has_bf16():
        print(f'  {compare("bf16", expected, OpenVINORunner(file, precision="bf16")(crops), size)}')
    else:
        print('  bf16: skipped, this CPU has neither avx512_bf16 nor AMX')
    if ranges is not None:
        write_int8(file, small, ranges)
        print(f'  {compare("int8", expected, OnnxRunner(small)(crops), size)}')
    else:
        print('  int8: skipped, it needs --pictures')
