"""What a program that runs an exported network has to know, carried inside the file as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from mmdualhand import __version__
from mmdualhand.errors import ConfigError
from mmdualhand.models.rgb_path import OUTPUTS_2D, OUTPUTS_3D, RGBPath

FACTS_KEY = 'mmdualhand'
"""Name of the entry in the metadata of an ONNX file and among the extra files of TorchScript."""


@dataclass(frozen=True)
class ExportFacts:
    """Facts of a network of :class:`~mmdualhand.models.rgb_path.RGBPath`.

    Attributes:
        input_size: ``(w, h)`` of the crops, px.
        dims: 3, or 2 for a network of 2D heat maps.
        calibration: What turns the raw confidence into a probability, as plain data; None where
            it was never calibrated.
        source: Name of the checkpoint's file, '' where unknown.
        version: Of mmdualhand, that wrote the file.
    """

    input_size: tuple[int, int]
    dims: int = 3
    calibration: dict[str, Any] | None = None
    source: str = ''
    version: str = __version__

    @classmethod
    def of(cls, path: RGBPath, calibration: dict[str, Any] | None = None, source: str = '') -> ExportFacts:
        """Facts of a path in torch."""
        return cls(path.input_size, path.dims, calibration, source)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order of the file."""
        return OUTPUTS_3D if self.dims == 3 else OUTPUTS_2D

    def to_json(self) -> str:
        """One line, with the names of the outputs for readers without this package."""
        return json.dumps({**asdict(self), 'outputs': self.outputs}, sort_keys=True)


def parse_facts(text: str, *, source: str) -> ExportFacts:
    """Read what :meth:`ExportFacts.to_json` wrote.

    Args:
        text: JSON, or '' where the file has no such entry.
        source: Name of the file, for messages.

    Raises:
        ConfigError: There is no such text, or it is another one.
    """
    try:
        values = json.loads(text)
        width, height = values['input_size']
        names = ('dims', 'calibration', 'source', 'version')
        return ExportFacts((int(width), int(height)), **{name: values[name] for name in names})
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f'{source} does not say what it takes and gives, so it is not a file of `mmdualhand export`: '
            'export the checkpoint again'
        ) from error
