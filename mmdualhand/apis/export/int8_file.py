"""An exported ONNX file with convolutions in 8-bit integers: smaller and faster, a little less exact."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.apis.export.parity import Parity
from mmdualhand.apis.quiet_log import quiet_log
from mmdualhand.errors import ConfigError, MissingPackageError

INT8_SUFFIX = '.int8.onnx'
"""What the name of such a file ends in."""
INT8_BOUND = 0.02
"""Largest mean shift of the joints in parts of the longer side of the crop; PCK@0.05 allows 0.05.

The mean of 2D heat maps holds some jumps from one peak of an undecided map to another."""
RANGE_BATCH = 4
"""Crops that are run at a time to find the ranges."""
_KINDS = ['Conv', 'ConvTranspose', 'Relu', 'Add', 'MaxPool']
"""Operators of encoder and decoder."""


def is_int8(file: Path) -> bool:
    """Whether a name asks for 8-bit integers.

    Raises:
        ConfigError: It seems to, and ends in something else than :data:`INT8_SUFFIX`.
    """
    if '.int8' in file.name.lower() and not file.name.endswith(INT8_SUFFIX):
        raise ConfigError(f'{file}: a file in 8-bit integers is ONNX, and its name ends in {INT8_SUFFIX}')
    return file.name.endswith(INT8_SUFFIX)


def write_int8(exact: Path, file: Path, crops: np.ndarray) -> None:
    """Quantise a file of :func:`~mmdualhand.apis.export.onnx_file.write_onnx` after training.

    Weights get 7 bits and a scale for each output channel: the sum of two products then fits into
    the 16 bits that processors without VNNI have for it. Activations get 8 bits and one range each,
    from the least to the largest value over the crops. The first and the last convolution, pixels
    and heat maps, and all that makes keypoints, mask and depth map of them stay in float32.

    Args:
        exact: The file in float32.
        file: To write; same inputs, outputs and metadata.
        crops: ``(B, H, W, 3)`` uint8 that ranges are taken from. They should look like what the
            network will meet: a value beyond its range is cut off.

    Raises:
        MissingPackageError: onnx or onnxruntime is not installed.
    """
    try:
        import onnx
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    except ImportError as error:
        raise MissingPackageError(
            f'8-bit files need onnx and onnxruntime ({error}): pip install "mmdualhand[export]"'
        ) from error
    with quiet_log(logging.getLogger(), logging.ERROR):  # advice on what was done to the file before
        quantize_static(
            str(exact),
            str(file),
            _Crops(crops),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_KINDS,
            nodes_to_exclude=_exact_nodes(onnx.load(str(exact), load_external_data=False)),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )


def require_int8(parity: Parity, input_size: tuple[int, int]) -> Parity:
    """Refuse a file whose joints moved too far.

    Args:
        parity: Of crops that the ranges were not taken from.
        input_size: ``(w, h)`` of the crops, px.

    Returns:
        The parity with its bound.

    Raises:
        ConfigError: The mean shift is beyond :data:`INT8_BOUND`, or something is no number.
    """
    bounded = replace(parity, mean_bound=INT8_BOUND * max(input_size))
    if not bounded.holds:
        raise ConfigError(
            f'{parity.name} predicts something else than the network it was made of, so nothing is written: '
            f'{" ".join(str(bounded).split())}. The ranges of its numbers come from the pictures given: take '
            'more of them, and hands cut out as the network will see them'
        )
    return bounded


class _Crops:
    """The crops in the form that onnxruntime reads them in.

    Args:
        crops: ``(B, H, W, 3)`` uint8.
    """

    def __init__(self, crops: np.ndarray) -> None:
        self._batches = iter(
            [crops[start : start + RANGE_BATCH] for start in range(0, len(crops), RANGE_BATCH)]
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch, None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {'crops': batch}


def _exact_nodes(model: Any) -> list[str]:
    """Names of what stays in float32: the first convolution, the last one, and all that decodes its maps."""
    nodes = list(model.graph.node)  # in the order in which they run
    places = [place for place, node in enumerate(nodes) if node.op_type in ('Conv', 'ConvTranspose')]
    return [node.name for node in (nodes[places[0]], *nodes[places[-1] :])]
