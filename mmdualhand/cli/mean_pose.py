"""``mmdualhand mean-pose``: the constant predictor that every result is measured against."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.config import Config, DictAction

from mmdualhand.apis.model_zoo import get_config
from mmdualhand.cli.common import override
from mmdualhand.engine import stream_configs
from mmdualhand.errors import ConfigError
from mmdualhand.evaluation.mean_pose import mean_pose_epe
from mmdualhand.registry import DATASETS


def labelled_poses(dataset_cfg: dict[str, Any]) -> np.ndarray:
    """3D labels of a dataset as right hands, read without any picture.

    Args:
        dataset_cfg: Config of the dataset.

    Returns:
        ``(N, 21, 3)`` mm, camera frame; left hands mirrored in x.

    Raises:
        ConfigError: The dataset has no 3D label.
    """
    dataset = DATASETS.build(dict(dataset_cfg))
    poses = []
    for i in range(len(dataset)):
        record = dataset.labels_only(i)
        if 'keypoints_3d' in record:
            sign = -1.0 if record['hand_side'] == 'left' else 1.0
            poses.append(record['keypoints_3d'] * np.array([sign, 1.0, 1.0]))
    if not poses:
        raise ConfigError(f'{dataset_cfg.get("type")} at {dataset_cfg.get("data_root")} has no 3D label')
    return np.stack(poses)


def measure(cfg: Config) -> tuple[float, int, int]:
    """Root-aligned EPE (mm) on the test data and the numbers of training and test hands.

    Raises:
        ConfigError: The config lacks one of the two datasets.
    """
    for key in ('train_dataloader', 'test_dataloader'):
        if not cfg.get(key):
            raise ConfigError(f'the config has no {key}; mean-pose learns from one and tests on the other')
    loader = cfg.train_dataloader
    labelled = stream_configs(loader).get('source', {}) if 'streams' in loader else loader
    if not labelled.get('dataset'):
        raise ConfigError("train_dataloader has no stream 'source'; mean-pose learns from labelled hands")
    train = labelled_poses(labelled['dataset'])
    test = labelled_poses(cfg.test_dataloader.dataset)
    return mean_pose_epe(train, test), len(train), len(test)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the error of the constant mean training pose; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand mean-pose',
        description='Root-aligned EPE of the constant mean training pose on the test data.',
    )
    parser.add_argument('config', help='config file, or the name of a shipped config')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    args = parser.parse_args(argv)
    cfg = get_config(args.config)
    override(cfg, args.cfg_options)
    error, train, test = measure(cfg)
    print(f'EPE_root of the constant mean training pose: {error:.2f} mm')
    print(f'mean of {train} root-relative training hands, left ones mirrored; measured on {test} test hands')
    return 0
