"""Device-side preparation of named streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.model import BaseDataPreprocessor
from torch import nn

from mmdualhand.errors import ConfigError
from mmdualhand.models.data_preprocessor import HandDataPreprocessor
from mmdualhand.registry import MODELS


@MODELS.register_module()
class StreamDataPreprocessor(BaseDataPreprocessor):
    """A :class:`HandDataPreprocessor` for every stream of a training step.

    A batch that is no mapping of streams (validation, test) goes to the stream
    ``target``.

    Args:
        streams: Stream name to config of its preprocessor.
        clean_view: Also give ``inputs['clean']`` of the target stream in training:
            ``(B, 3, H, W)`` without texture, for labels.
        augmented_view: Accepted for the estimators' sake; views of a stream are set
            in its own config, by default the plain one alone.

    Raises:
        ConfigError: There is no stream ``target``.
    """

    def __init__(
        self,
        streams: Mapping[str, dict[str, Any]],
        clean_view: bool = False,
        augmented_view: bool = False,
    ) -> None:
        super().__init__()
        if 'target' not in streams:
            raise ConfigError(f"StreamDataPreprocessor needs a stream 'target', got {sorted(streams)}")
        self.streams = nn.ModuleDict(
            {
                name: MODELS.build(
                    {'type': 'HandDataPreprocessor', 'augmented_view': augmented_view, **dict(config)}
                )
                for name, config in streams.items()
            }
        )
        self.clean_view = clean_view

    def forward(self, data: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """Prepare a batch of every stream, or one ordinary batch.

        Args:
            data: Stream name to collated batch, or a collated batch.
            training: Whether to draw textures.

        Returns:
            Stream name to prepared batch, or one prepared batch; see
            :class:`HandDataPreprocessor`.

        Raises:
            ConfigError: A stream has no preprocessor.
        """
        if 'inputs' in data:
            return self._of('target')(data, training)
        prepared = {name: self._of(name)(batch, training) for name, batch in data.items()}
        if self.clean_view and training and 'target' in data:
            plain = self._of('target')(data['target'], training=False)
            prepared['target']['inputs']['clean'] = plain['inputs']['rgb']
        return prepared

    def _of(self, name: str) -> HandDataPreprocessor:
        if name not in self.streams:
            raise ConfigError(
                f'the stream {name!r} has no data preprocessor; there are: {sorted(self.streams)}'
            )
        return self.streams[name]  # type: ignore[return-value]

    def to(self, *args: Any, **kwargs: Any) -> nn.Module:
        """Move, and tell every stream's preprocessor its device."""
        for stream in self.streams.values():
            stream.to(*args, **kwargs)
        return super().to(*args, **kwargs)

    def cuda(self, *args: Any, **kwargs: Any) -> nn.Module:
        """Move to a GPU; see :meth:`to`."""
        for stream in self.streams.values():
            stream.cuda(*args, **kwargs)
        return super().cuda(*args, **kwargs)

    def cpu(self, *args: Any, **kwargs: Any) -> nn.Module:
        """Move to the CPU; see :meth:`to`."""
        for stream in self.streams.values():
            stream.cpu(*args, **kwargs)
        return super().cpu(*args, **kwargs)
