"""One way to run a network whatever it runs on: torch, onnxruntime, OpenVINO or TorchScript."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from mmdualhand.apis.export.facts import FACTS_KEY, ExportFacts, parse_facts
from mmdualhand.errors import ConfigError, MissingFileError, MissingPackageError
from mmdualhand.models.rgb_path import RGBPath

PRECISIONS = ('fp32', 'bf16')
_OPENVINO_SUFFIXES = ('.onnx', '.xml', '.partial')  # the last: a file that is not yet kept


class Runner(Protocol):
    """A network that is ready to run.

    Attributes:
        facts: What the network takes and gives; ``facts.input_size`` is ``(w, h)`` of the crops,
            ``facts.dims`` 2 or 3, ``facts.calibration`` plain data or None.
    """

    facts: ExportFacts

    def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """Predict.

        Args:
            crops: ``(B, H, W, 3)`` uint8 RGB, left hands mirrored; any B.

        Returns:
            The keys of :meth:`mmdualhand.models.rgb_path.RGBPath.forward`, float32 arrays.

        Raises:
            ConfigError: The crops are of another size.
            ValueError: The crops are no uint8 pictures.
        """


class TorchRunner:
    """Runs an :class:`~mmdualhand.models.rgb_path.RGBPath` in torch.

    Args:
        path: In eval mode; moved to the device.
        device: ``'cpu'``, ``'cuda'``, ...; where the path is, if None.
        precision: ``'fp32'``, or ``'bf16'`` for autocast (the decoding stays in float32).
        calibration: Plain data that says what the raw confidence means, or None.
    """

    def __init__(
        self,
        path: RGBPath,
        device: str | torch.device | None = None,
        precision: str = 'fp32',
        calibration: dict[str, Any] | None = None,
    ) -> None:
        self._bf16 = _is_bf16(precision)
        self.path = path if device is None else path.to(device)
        self.facts = ExportFacts.of(path, calibration=calibration)

    @torch.inference_mode()
    def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """See :class:`Runner`."""
        check_crops(crops, self.facts)
        batch = torch.from_numpy(np.ascontiguousarray(crops)).to(self.path.mean.device)
        with torch.autocast(batch.device.type, torch.bfloat16, enabled=self._bf16):
            found = self.path(batch)
        return {name: value.float().cpu().numpy() for name, value in found.items()}


class TorchScriptRunner:
    """Runs a ``.ts`` file that ``mmdualhand export`` wrote; needs torch and nothing else of its makers.

    Args:
        file: The exported file.
        device: ``'cpu'``, ``'cuda'``, ...

    Raises:
        MissingFileError: No such file.
        ConfigError: It is not one of ``mmdualhand export``.
    """

    def __init__(self, file: str | Path, device: str = 'cpu') -> None:
        extra = {FACTS_KEY: ''}
        try:
            self._module = torch.jit.load(str(_existing(file)), map_location=device, _extra_files=extra)
        except RuntimeError as error:
            raise ConfigError(f'{file} is no TorchScript file: {_first_line(error)}') from error
        self.facts = parse_facts(extra[FACTS_KEY], source=str(file))
        self._device = device

    @torch.inference_mode()
    def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """See :class:`Runner`."""
        check_crops(crops, self.facts)
        batch = torch.from_numpy(np.ascontiguousarray(crops)).to(self._device)
        found = self._module(batch)
        return {name: x.cpu().numpy() for name, x in zip(self.facts.outputs, found, strict=True)}


class OnnxRunner:
    """Runs an ``.onnx`` file with onnxruntime.

    Args:
        file: What ``mmdualhand export`` wrote.
        threads: Threads inside an operator; those of onnxruntime where None.
        providers: Execution providers by preference; the CPU's where None.

    Raises:
        MissingFileError: No such file.
        MissingPackageError: onnxruntime is not installed.
        ConfigError: It is not one of ``mmdualhand export``.
    """

    def __init__(
        self, file: str | Path, threads: int | None = None, providers: list[str] | None = None
    ) -> None:
        path = _existing(file)
        try:
            import onnxruntime
        except ImportError as error:
            raise _missing('onnxruntime') from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=providers or ['CPUExecutionProvider']
            )
        except Exception as error:  # onnxruntime has classes of its own for every kind of bad file
            raise ConfigError(f'{file} cannot be run by onnxruntime: {_first_line(error)}') from error
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.facts = parse_facts(metadata.get(FACTS_KEY, ''), source=str(file))

    def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """See :class:`Runner`."""
        check_crops(crops, self.facts)
        found = self._session.run(list(self.facts.outputs), {'crops': np.ascontiguousarray(crops)})
        return dict(zip(self.facts.outputs, found, strict=True))


class OpenVINORunner:
    """Runs an ``.onnx`` file with OpenVINO on the CPU.

    Args:
        file: What ``mmdualhand export`` wrote.
        threads: Threads; those of OpenVINO where None.
        precision: ``'fp32'``, or ``'bf16'`` for the hint that lets OpenVINO compute in bfloat16
            where the CPU can (``avx512_bf16`` or AMX; elsewhere it stays in float32).

    Raises:
        MissingFileError: No such file.
        MissingPackageError: openvino is not installed.
        ConfigError: It is not one of ``mmdualhand export``.
    """

    def __init__(self, file: str | Path, threads: int | None = None, precision: str = 'fp32') -> None:
        path = _existing(file)
        if path.suffix.lower() not in _OPENVINO_SUFFIXES:
            raise ConfigError(
                f'OpenVINO runs an .onnx file, and {file} is none: write one with mmdualhand export '
                'CHECKPOINT --out hand.onnx'
            )
        core = _openvino_core()
        options: dict[str, Any] = {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_PRECISION_HINT': 'bf16' if _is_bf16(precision) else 'f32',
        }
        if threads is not None:
            options['INFERENCE_NUM_THREADS'] = threads
        try:
            model = core.read_model(str(path))
            self._model = core.compile_model(model, 'CPU', options)
        except RuntimeError as error:
            raise ConfigError(f'{file} cannot be run by OpenVINO: {_first_line(error)}') from error
        self.facts = parse_facts(_openvino_text(model), source=str(file))

    def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """See :class:`Runner`."""
        check_crops(crops, self.facts)
        found = self._model({'crops': np.ascontiguousarray(crops)})
        return {name: np.array(found[name]) for name in self.facts.outputs}


def load_runner(file: str | Path, threads: int | None = None, device: str = 'cpu') -> Runner:
    """Run an exported file by what its name ends in: ``.onnx`` with onnxruntime, ``.ts`` with torch.

    Args:
        file: What ``mmdualhand export`` wrote.
        threads: For ONNX; see :class:`OnnxRunner`.
        device: For TorchScript; ONNX runs on the CPU.

    Raises:
        ConfigError: Another ending, or not one of ``mmdualhand export``.
        MissingFileError: No such file.
        MissingPackageError: onnxruntime is needed and not installed.
    """
    readers: dict[str, Callable[[], Runner]] = {
        '.onnx': lambda: OnnxRunner(file, threads),
        '.ts': lambda: TorchScriptRunner(file, device),
    }
    suffix = Path(file).suffix
    if suffix not in readers:
        raise ConfigError(f'{file} must end in one of {sorted(readers)}, the files that export writes')
    return readers[suffix]()


def _is_bf16(precision: str) -> bool:
    if precision not in PRECISIONS:
        raise ConfigError(f'precision must be one of {PRECISIONS}, got {precision!r}')
    return precision == 'bf16'


def _existing(file: str | Path) -> Path:
    path = Path(file).expanduser()
    if not path.is_file():
        raise MissingFileError(f'the exported network {file} is not there')
    return path


def _missing(package: str) -> MissingPackageError:
    return MissingPackageError(
        f'this needs {package}, which is not installed: pip install "mmdualhand[export]" (or {package} alone)'
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().split('\n', 1)[0]


def openvino_has_bf16() -> bool:
    """Whether OpenVINO computes in bfloat16 on this CPU (``avx512_bf16`` or AMX).

    Raises:
        MissingPackageError: openvino is not installed.
    """
    return 'BF16' in _openvino_core().get_property('CPU', 'OPTIMIZATION_CAPABILITIES')


def _openvino_core() -> Any:
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        raise _missing('openvino') from error
    return _shared_core()


@cache
def _shared_core() -> Any:
    """The one core of this process.

    A core's CPU plugin gives the thread a stack for signals and takes it away when it
    ends. Cores that end in the order in which they were made leave the thread with one
    that is gone, and the next signal that Python handles (Ctrl-C, or the end of a loader's
    worker) ends the process with a segmentation fault.
    """
    import openvino

    return openvino.Core()


def _openvino_text(model: Any) -> str:
    """The facts of an ONNX file, where OpenVINO keeps them."""
    place = ['framework', FACTS_KEY]
    return str(model.get_rt_info(place).astype(str)) if model.has_rt_info(place) else ''


def check_crops(crops: np.ndarray, facts: ExportFacts) -> None:
    """Refuse crops that a network cannot take.

    Args:
        crops: Should be ``(B, H, W, 3)`` uint8.
        facts: Of the network.

    Raises:
        ConfigError: The crops are of another size.
        ValueError: The crops are no uint8 pictures, or there is none.
    """
    if crops.ndim != 4 or crops.shape[3] != 3 or crops.dtype != np.uint8 or not len(crops):
        raise ValueError(f'crops must be uint8 (B, H, W, 3), got {crops.dtype} {crops.shape}')
    width, height = facts.input_size
    if crops.shape[1:3] != (height, width):
        raise ConfigError(
            f'the crops are {crops.shape[2]} x {crops.shape[1]} pixels, the network takes {width} x {height}'
        )
