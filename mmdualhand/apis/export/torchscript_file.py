"""A folded RGB path as a TorchScript file."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from mmdualhand.apis.export.facts import FACTS_KEY, ExportFacts
from mmdualhand.apis.export.onnx_file import OrderedOutputs, example_crops
from mmdualhand.models.rgb_path import RGBPath


def write_torchscript(path: RGBPath, file: Path, facts: ExportFacts) -> None:
    """Write one file that ``torch.jit.load`` reads, any batch size, decoding inside.

    It returns a tuple in the order of ``facts.outputs``; the facts are the extra file ``mmdualhand``.

    Args:
        path: Folded.
        file: To write.
        facts: To carry.
    """
    with torch.no_grad(), warnings.catch_warnings():
        # Checks of sizes are traced as constants: sizes other than the batch are fixed.
        warnings.simplefilter('ignore')
        traced = torch.jit.trace(OrderedOutputs(path).eval(), (example_crops(path),), check_trace=False)
        torch.jit.freeze(traced).save(str(file), _extra_files={FACTS_KEY: facts.to_json()})
