"""Test pictures as a network sees them in its first and its second pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from mmdualhand.apis.report.predictions import LoadedNetwork, load_network
from mmdualhand.datasets.image_io import read_photo
from mmdualhand.engine.labels.batches import clean_batches
from mmdualhand.errors import ConfigError
from mmdualhand.models.backbones.dual_encoder import DualFeatures
from mmdualhand.models.estimators.predicted_depth import depth_input
from mmdualhand.structures import HandDataSample
from mmdualhand.visualization import first_field, sample_epe

BATCH = 16


@dataclass(frozen=True)
class NamedNetwork:
    """A network and its name in a figure."""

    name: str
    network: LoadedNetwork


@dataclass(frozen=True, eq=False)
class Look:
    """What a network makes of a picture.

    Attributes:
        sample: With the prediction of the RGB branch and, where there is a depth encoder,
            the attention of its stem in the second pass.
        poses: Branch to ``(21, 3)`` 2.5D pose on the 64-grid of the crop; ``rgb`` of the first
            pass, ``depth`` and ``fused`` of the second, where the network has them.
        attention: ``'depth'`` and ``'rgb'`` to ``(h, w)`` weights after every stage, computed
            from the features of that encoder; spatial mean 1. Empty without a depth encoder.
    """

    sample: HandDataSample
    poses: dict[str, np.ndarray] = field(default_factory=dict)
    attention: dict[str, list[np.ndarray]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the picture."""
        return str(self.sample.metainfo.get('sample_id', 'picture'))

    @property
    def photo(self) -> np.ndarray:
        """The picture as it is on disk, ``(H, W, 3)`` RGB."""
        return read_photo(self.sample.metainfo['img_path'], self.name)

    @property
    def epe(self) -> float | None:
        """Mean 3D error of the RGB branch, mm; None without labels or without 3D."""
        return sample_epe(self.sample)

    @property
    def crop_share(self) -> np.ndarray | None:
        """``(21,)`` 2D error of the RGB branch as a share of the crop's side; None without labels."""
        true = first_field(self.sample, 'gt_instances', 'keypoints')
        found = first_field(self.sample, 'pred_instances', 'keypoints')
        matrix, size = (self.sample.metainfo.get(key) for key in ('crop_matrix', 'input_size'))
        if true is None or found is None or matrix is None or size is None:
            return None
        zoom = float(np.sqrt(abs(np.linalg.det(np.asarray(matrix, np.float64)[:2, :2]))))
        return np.linalg.norm(true - found, axis=-1) * zoom / min(size)


def load_networks(
    checkpoints: Sequence[str | Path], config: Config, names: Sequence[str] = ()
) -> list[NamedNetwork]:
    """Build the networks of some checkpoints for the test pictures of a config.

    Args:
        checkpoints: Files of training runs.
        config: With a ``test_dataloader``; not changed.
        names: One for each; the name of the folder of the checkpoint where there are none.

    Raises:
        ConfigError: Another number of names, two equal ones, or a checkpoint does not name its network.
        MissingFileError: A checkpoint or the pictures are not there.
    """
    names = list(names) or default_names(checkpoints)
    if len(names) != len(checkpoints):
        raise ConfigError(f'--names must be as many as checkpoints, got {len(names)} for {len(checkpoints)}')
    if len(set(names)) < len(names):
        raise ConfigError(f'the names {names} are not all different: give others with --names')
    loaded = [load_network(checkpoint, config) for checkpoint in checkpoints]
    return [NamedNetwork(name, network) for name, network in zip(names, loaded, strict=True)]


def default_names(checkpoints: Sequence[str | Path]) -> list[str]:
    """Folder of each checkpoint, with the file's name where a folder is named twice."""
    paths = [Path(one) for one in checkpoints]
    folders = [path.resolve().parent.name or path.stem for path in paths]
    return [
        folder if folders.count(folder) == 1 else f'{folder}/{path.stem}'
        for folder, path in zip(folders, paths, strict=True)
    ]


@torch.no_grad()
def look_twice(network: LoadedNetwork, rows: Sequence[int]) -> list[Look]:
    """Look at some test pictures, and at their RGB again together with the predicted depth map.

    Args:
        network: Of a checkpoint.
        rows: Sample numbers.

    Returns:
        A look at each.
    """
    looks, samples = [], network.look(rows)
    start = 0
    for rgb in _pictures(network, rows):
        poses, attention = _second_look(network.model, rgb)
        for place in range(len(rgb)):
            looks.append(
                Look(
                    samples[start + place],
                    {branch: one[place] for branch, one in poses.items()},
                    {kind: [w[place, 0] for w in stages] for kind, stages in attention.items()},
                )
            )
        start += len(rgb)
    return looks


def _pictures(network: LoadedNetwork, rows: Sequence[int]) -> Iterator[Tensor]:
    """``(B, 3, H, W)`` normalised crops."""
    for batch in clean_batches(network.dataset, rows, BATCH):
        yield network.model.data_preprocessor(batch, training=False)['inputs']['rgb']


def second_pass_features(model: Any, rgb: Tensor, keep_stages: bool = False) -> DualFeatures | None:
    """Features of all branches of pictures without a depth map: the predicted one is taken.

    Args:
        model: An estimator in eval mode.
        rgb: ``(B, 3, H, W)`` normalised.
        keep_stages: Also give the feature maps after each stage.

    Returns:
        Features; None where the network has no depth encoder.
    """
    depth = predicted_depth(model, rgb)
    return None if depth is None else model.backbone.encode(rgb, depth, keep_stages=keep_stages)


def predicted_depth(model: Any, rgb: Tensor) -> Tensor | None:
    """``(B, 1, H, W)`` depth maps of the first pass; None where the network has no depth encoder."""
    if 'depth' not in model.branches:
        return None
    clean = bool(getattr(getattr(model, 'settings', None), 'clean_depth', False))
    return depth_input(model.extract({'rgb': rgb})['rgb'], rgb.shape[-2:], clean=clean)


def _second_look(model: Any, rgb: Tensor) -> tuple[dict[str, np.ndarray], dict[str, list[np.ndarray]]]:
    """Poses of every branch, and attention weights of every stage of both encoders."""
    depth = predicted_depth(model, rgb)
    inputs = {'rgb': rgb} if depth is None else {'rgb': rgb, 'depth': depth}
    predictions = model.extract(inputs)
    poses = {
        branch: one.pose25d.float().cpu().numpy()
        for branch, one in predictions.items()
        if getattr(one, 'pose25d', None) is not None
    }
    if depth is None:
        return poses, {}
    features = model.backbone.encode(rgb, depth, keep_stages=True)
    of_rgb = [model.backbone.attention.weights(stage) for stage in features.stages['rgb']]
    kinds = {'depth': features.attention, 'rgb': of_rgb}
    return poses, {kind: [one.float().cpu().numpy() for one in stages] for kind, stages in kinds.items()}
