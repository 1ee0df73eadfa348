"""A folded RGB path as an ONNX file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmdualhand.apis.export.facts import FACTS_KEY, ExportFacts
from mmdualhand.apis.quiet_log import quiet_log
from mmdualhand.errors import MissingPackageError
from mmdualhand.models.rgb_path import RGBPath


class OrderedOutputs(nn.Module):
    """A path whose results come in the order of its ``output_names``, without names.

    Args:
        path: Folded.
    """

    def __init__(self, path: RGBPath) -> None:
        super().__init__()
        self.path = path

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """``(B, H, W, 3)`` uint8 to a tuple of results."""
        found = self.path(crops)
        return tuple(found[name] for name in self.path.output_names)


def write_onnx(path: RGBPath, file: Path, facts: ExportFacts) -> None:
    """Write one file with weights, any batch size, decoding inside.

    Input ``crops``; outputs ``facts.outputs``. The facts are the entry ``mmdualhand`` of the metadata.

    Args:
        path: Folded, on the CPU.
        file: To write.
        facts: To carry.

    Raises:
        MissingPackageError: onnx or onnxscript is not installed.
    """
    _require_packages()
    batch = torch.export.Dim('batch')
    with torch.no_grad(), _quiet():
        program: Any = torch.onnx.export(
            OrderedOutputs(path).eval(),
            (example_crops(path),),
            input_names=['crops'],
            output_names=list(facts.outputs),
            dynamic_shapes=({0: batch},),
            dynamo=True,
            verbose=False,
        )
    _forget_origin(program.model)
    program.model.metadata_props[FACTS_KEY] = facts.to_json()
    program.save(str(file), external_data=False)


def example_crops(path: RGBPath) -> Tensor:
    """Two black crops; a batch of one would be taken as a fixed size."""
    width, height = path.input_size
    return torch.zeros(2, height, width, 3, dtype=torch.uint8)


def _require_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingPackageError(
            f'writing ONNX needs onnx and onnxscript ({error}): pip install "mmdualhand[export]"'
        ) from error


def _forget_origin(model: Any) -> None:
    """Take the notes of the exporter out: source lines with the paths of this machine."""
    for node in model.graph.all_nodes():
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
    for value in (*model.graph.inputs, *model.graph.initializers.values()):
        value.metadata_props.clear()
    model.graph.metadata_props.clear()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's talk of packages that are not needed here."""
    with quiet_log(logging.getLogger('torch.onnx'), logging.ERROR), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield
