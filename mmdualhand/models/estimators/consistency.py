"""Losses that need no label: a prediction against that of the moved image, and against itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.models.heads import MultiModalPrediction
from mmdualhand.models.perturbation import AffinePerturbation, Warp, unwarp_pose25d, warp_images
from mmdualhand.registry import MODELS

STREAMS = ('source', 'target')


class MovedView(NamedTuple):
    """What the network says of moved images.

    Attributes:
        prediction: In the frame of the moved images.
        warp: How they were moved.
    """

    prediction: MultiModalPrediction
    warp: Warp

    @property
    def pose_moved_back(self) -> Tensor:
        """``(B, 21, 3)`` the pose in the frame of the images as they were."""
        return unwarp_pose25d(self.prediction.pose25d, self.warp, rescaled=True)


class Consistency(nn.Module):
    """A list of losses of a prediction, that of the moved image and the motion.

    Args:
        losses: Configs of modules ``loss(prediction, moved, warp) -> dict``; ``moved`` and
            ``warp`` are None where none of them has ``needs_view``.
        perturbation: Keys of :class:`~mmdualhand.models.AffinePerturbation`, without scale
            and mirroring.
        weight: Factor of all of them.
        streams: Which images they are taken of: ``'source'``, ``'target'``.

    Raises:
        ConfigError: A value without meaning.
    """

    def __init__(
        self,
        losses: Sequence[Mapping[str, Any]],
        perturbation: Mapping[str, Any] | None,
        weight: float,
        streams: Sequence[str],
    ) -> None:
        super().__init__()
        if not streams or set(streams) - set(STREAMS):
            raise ConfigError(f'consistency_streams must be some of {STREAMS}, got {tuple(streams)}')
        self.losses = nn.ModuleList(MODELS.build(dict(loss)) for loss in losses)
        self.weight, self.streams = weight, tuple(streams)
        self.perturbation: AffinePerturbation | None = None
        if perturbation is not None:
            self.perturbation = MODELS.build({'type': 'AffinePerturbation', **perturbation})
            if not self.perturbation.keeps_size or self.perturbation.flip:
                raise ConfigError(
                    'perturbation moves images whose depths must stay and whose hands must stay right ones: '
                    'leave scale at (1, 1) and flip at 0'
                )
        elif any(getattr(loss, 'needs_view', True) for loss in self.losses):
            raise ConfigError(
                'consistency compares with moved images: set perturbation=dict(rotation=..., shift=...)'
            )

    def look(self, rgb: Tensor, predict: Callable[[Tensor], MultiModalPrediction]) -> MovedView | None:
        """Predict of the images ``(B, 3, H, W)`` moved; None where they are not moved."""
        if self.perturbation is None:
            return None
        warp = self.perturbation.sample(rgb.shape[0], rgb.device)
        return MovedView(predict(warp_images(rgb, warp)), warp)

    def forward(
        self, prediction: MultiModalPrediction, view: MovedView | None, stream: str
    ) -> dict[str, Tensor]:
        """The losses with their weight, named ``..._<stream>``."""
        moved, warp = view or (None, None)
        found: dict[str, Tensor] = {}
        for loss in self.losses:
            found.update(loss(prediction, moved, warp))
        return {f'{name}_{stream}': self.weight * value for name, value in found.items()}
