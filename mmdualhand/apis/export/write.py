"""From a trained estimator to files for other programs, each compared before it is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.apis.export.facts import ExportFacts
from mmdualhand.apis.export.int8_file import INT8_SUFFIX, is_int8, require_int8, write_int8
from mmdualhand.apis.export.onnx_file import write_onnx
from mmdualhand.apis.export.parity import (
    EXPORTED_BOUND,
    FOLDED_BOUND,
    Parity,
    compare,
    made_up_crops,
    require,
)
from mmdualhand.apis.export.runners import (
    OnnxRunner,
    OpenVINORunner,
    Runner,
    TorchRunner,
    TorchScriptRunner,
    check_crops,
    openvino_has_bf16,
)
from mmdualhand.apis.export.torchscript_file import write_torchscript
from mmdualhand.compat import replace_file
from mmdualhand.errors import ConfigError, MissingPackageError
from mmdualhand.models.folding import fold
from mmdualhand.models.rgb_path import RGBPath, rgb_path

Writer = Callable[[RGBPath, Path, ExportFacts], None]
_BATCHES = (1, 3)
"""Batch sizes that every file is tried with."""


@dataclass(frozen=True)
class ExportReport:
    """What was written, and how far it is from the network.

    Attributes:
        files: As asked for.
        facts: Carried in each.
        parities: Every comparison, in its order.
        notes: What was not compared, and why.
    """

    files: tuple[Path, ...]
    facts: ExportFacts
    parities: tuple[Parity, ...]
    notes: tuple[str, ...] = ()


def export_network(
    estimator: Any,
    files: Sequence[str | Path],
    *,
    crops: np.ndarray | None = None,
    range_crops: np.ndarray | None = None,
    calibration: dict[str, Any] | None = None,
    source: str = '',
) -> ExportReport:
    """Write the RGB path of an estimator, pixels in and keypoints out.

    Each file is written under another name, run on crops in batches and compared with the network
    in torch; when all of them are right, all are moved into place. OpenVINO runs the ONNX files too
    where it is installed. A file in 8-bit integers is compared with a bound of its own, see
    :func:`~mmdualhand.apis.export.int8_file.require_int8`.

    Args:
        estimator: Trained; left in eval mode, on the CPU.
        files: To write; ``.onnx``, ``.int8.onnx`` (ONNX in 8-bit integers) or ``.ts``
            (TorchScript) says the kind.
        crops: ``(B, H, W, 3)`` uint8 to compare on; made-up ones where None.
        range_crops: ``(B, H, W, 3)`` uint8, others than ``crops``, that a file in 8-bit integers
            takes the ranges of its numbers from; not needed without one.
        calibration: What turns raw confidence into probability, to be carried in the file.
        source: Name of the checkpoint, to be carried in the file.

    Raises:
        ConfigError: The RGB path is not self-contained, another ending, no ``range_crops`` for
            8-bit integers, or a file that predicts something else than the network.
        MissingPackageError: What writes or runs a kind of file is not installed.
    """
    targets = _check_names(files, range_crops is not None)
    path = rgb_path(estimator.cpu())
    facts = ExportFacts.of(path, calibration, source)
    if range_crops is not None:
        check_crops(range_crops, facts)
    given = made_up_crops(facts.input_size) if crops is None else crops
    expected = TorchRunner(path)(given)
    folded = fold(path)
    by_folded = TorchRunner(folded)(given)
    parities = [
        require(compare('folded, torch', expected, by_folded, facts.input_size, FOLDED_BOUND)),
    ]
    notes: list[str] = []
    partials = {target: target.with_name(f'{target.name}.partial') for target in targets}
    try:
        for target, partial in partials.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            if range_crops is not None and is_int8(target):
                _write_int8(folded, partial, facts, range_crops)
                parities += _try_int8(target.name, partial, expected, given, notes)
            else:
                write, run = _KINDS[target.suffix]
                write(folded, partial, facts)
                parities += _try_file(run(partial), expected, given, target.suffix)
                if target.suffix == '.onnx':
                    parities += _try_openvino(target.name, partial, expected, given, notes)
        for target, partial in partials.items():
            replace_file(partial, target)
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)
    return ExportReport(tuple(targets), facts, tuple(parities), tuple(notes))


def _check_names(files: Sequence[str | Path], with_ranges: bool) -> list[Path]:
    targets = [Path(file).expanduser() for file in files]
    for target in targets:
        if target.suffix not in _KINDS:
            endings = sorted([*_KINDS, INT8_SUFFIX])
            raise ConfigError(f'{target} must end in one of {endings}, which says what to write')
        if is_int8(target) and not with_ranges:
            raise ConfigError(
                f'{target}: 8-bit integers need pictures to take the ranges of the numbers from '
                '(--pictures FOLDER, range_crops in Python); a name that ends in .onnx alone needs none'
            )
    return targets


def _write_int8(folded: RGBPath, file: Path, facts: ExportFacts, crops: np.ndarray) -> None:
    # onnxruntime leaves files of its own beside the exact one when it is interrupted.
    with tempfile.TemporaryDirectory(dir=file.parent, prefix='.export-') as folder:
        exact = Path(folder) / 'exact.onnx'
        write_onnx(folded, exact, facts)
        write_int8(exact, file, crops)


_KINDS: dict[str, tuple[Writer, Callable[[Path], Runner]]] = {
    '.onnx': (write_onnx, OnnxRunner),
    '.ts': (write_torchscript, TorchScriptRunner),
}


def _try_file(runner: Runner, expected: dict[str, np.ndarray], crops: np.ndarray, name: str) -> list[Parity]:
    """All crops in batches of each size."""
    size, found = runner.facts.input_size, []
    for batch in _BATCHES:
        predicted = in_batches(runner, crops, batch)
        found.append(require(compare(f'{name}, batch {batch}', expected, predicted, size, EXPORTED_BOUND)))
    return found


def in_batches(runner: Runner, crops: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """Run crops in batches of ``size``; the last one may be smaller."""
    parts = [runner(crops[start : start + size]) for start in range(0, len(crops), size)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _try_openvino(
    name: str, file: Path, expected: dict[str, np.ndarray], crops: np.ndarray, notes: list[str]
) -> list[Parity]:
    runner = _openvino(name, file, notes)
    if runner is None:
        return []
    size = runner.facts.input_size
    found = [require(compare('.onnx by OpenVINO', expected, runner(crops), size, EXPORTED_BOUND))]
    if openvino_has_bf16():
        rough = OpenVINORunner(file, precision='bf16')(crops)
        found.append(compare('.onnx by OpenVINO in bf16', expected, rough, size))
    else:
        notes.append('this CPU does not compute in bf16, so its shift was not measured')
    return found


def _try_int8(
    name: str, file: Path, expected: dict[str, np.ndarray], crops: np.ndarray, notes: list[str]
) -> list[Parity]:
    runners: dict[str, Runner | None] = {
        INT8_SUFFIX: OnnxRunner(file),
        f'{INT8_SUFFIX} by OpenVINO': _openvino(name, file, notes),
    }
    found = []
    for form, runner in runners.items():
        if runner is not None:
            size, predicted = runner.facts.input_size, in_batches(runner, crops, _BATCHES[-1])
            found.append(require_int8(compare(form, expected, predicted, size), size))
    return found


def _openvino(name: str, file: Path, notes: list[str]) -> OpenVINORunner | None:
    """What runs a file with OpenVINO; None, and a note, where that is not installed."""
    try:
        return OpenVINORunner(file)
    except MissingPackageError:
        notes.append(f'OpenVINO is not installed, so {name} was not run with it')
        return None
