"""``mmdualhand browse-dataset``: picture sheets of what a dataset holds and its pipeline makes of it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config, DictAction

from mmdualhand.apis.model_zoo import get_config
from mmdualhand.cli.common import override
from mmdualhand.codecs import GRID_SIZE
from mmdualhand.datasets import BaseHandDataset, collate_hand_batch
from mmdualhand.datasets.image_io import read_picture
from mmdualhand.engine import stream_configs
from mmdualhand.errors import ConfigError
from mmdualhand.models.data_preprocessor import HandDataPreprocessor
from mmdualhand.registry import DATASETS, MODELS
from mmdualhand.structures import to_grid
from mmdualhand.visualization import colorize_depth, draw_skeleton_2d, draw_skeleton_3d, overlay_mask, panel

SPLITS = ('train', 'val', 'test')
VIEWS = ('plain', 'augmented')
RAW_SIDE = 320

Tile = tuple[np.ndarray, str]


def dataset_config(cfg: Config, split: str | None, stream: str | None = None) -> tuple[str, dict[str, Any]]:
    """Name and config of the wanted dataset, or of the first one the config has.

    Args:
        cfg: The config.
        split: ``train``, ``val``, ``test`` or None.
        stream: Which stream of a ``train`` that has several; that of its driver where None.

    Raises:
        ConfigError: The config has no such dataloader or stream.
    """
    train: Any = cfg.get('train_dataloader') or {}
    if 'streams' in train and split in (None, 'train'):
        streams, name = stream_configs(train), stream or train['driver']
        if name not in streams:
            raise ConfigError(f'train_dataloader has no stream {name!r}; it has: {", ".join(streams)}')
        return 'train', streams[name]['dataset']
    present = [name for name in SPLITS if (cfg.get(f'{name}_dataloader') or {}).get('dataset')]
    chosen = split or (present[0] if present else 'train')
    if chosen not in present:
        raise ConfigError(
            f'the config has no {chosen}_dataloader with a dataset; it has: {", ".join(present) or "none"}.'
        )
    return chosen, cfg[f'{chosen}_dataloader'].dataset


def sample_sheet(
    packed: dict[str, Any], preprocessor: HandDataPreprocessor | None, training: bool
) -> np.ndarray:
    """Draw one packed sample: photo, crop, both views of each modality, mask, labels in 3D.

    Args:
        packed: What ``PackHandInputs`` gives.
        preprocessor: Makes the views; without it the views of the workers are shown.
        training: Whether to make the views of training.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    inputs, targets, sample = packed['inputs'], packed['targets'], packed['data_samples']
    labels, meta = sample.gt_instances, sample.metainfo
    photo = read_picture(meta['img_path'], meta['sample_id'], color=True)
    shown, scale = _fit(photo)
    joints = labels.get('keypoints')
    tiles: list[Tile] = [(shown, f'photo {photo.shape[1]} x {photo.shape[0]}')]
    if joints is not None:
        marked = draw_skeleton_2d(shown, (joints[0] + 0.5) * scale - 0.5)
        tiles.append((marked, 'labels (all)'))
    crop = _image(inputs['img'])
    frame = 'crop, mirrored' if bool(targets['mirrored']) else 'crop'
    tiles.append((crop, frame))
    if 'pose25d' in labels:
        size = (crop.shape[1], crop.shape[0])
        uv = to_grid(labels.pose25d[0, :, :2].astype(np.float64), (GRID_SIZE, GRID_SIZE), size)
        tiles.append((draw_skeleton_2d(crop, uv, targets['visible'].numpy()), 'labels (visible)'))
    if 'mask' in inputs:
        tiles.append((overlay_mask(crop, inputs['mask'][0].numpy()), 'mask'))
    if 'depth' in inputs:
        tiles.append((colorize_depth(_depth(inputs['depth'])), 'depth, clean'))
    tiles += _view_tiles(packed, preprocessor, training)
    if labels.get('keypoints_3d') is not None:
        for view in ('front', 'side'):
            tiles.append((draw_skeleton_3d(labels.keypoints_3d[0], crop.shape[0], view), f'3D {view}'))
    header = f'{meta.get("dataset_name", "")} {meta["sample_id"]} | crop: {meta["crop_rule"]}'
    pictures, titles = zip(*tiles, strict=True)
    return panel(pictures, titles, columns=5, header=header)


def _view_tiles(
    packed: dict[str, Any], preprocessor: HandDataPreprocessor | None, training: bool
) -> list[Tile]:
    if preprocessor is None or not training:
        return []
    inputs = preprocessor(collate_hand_batch([packed]), training=True)['inputs']
    rgb = (inputs['rgb'] * preprocessor.std + preprocessor.mean).round().clamp(0, 255).byte()
    tiles = [(_image(rgb[row]), f'rgb, {VIEWS[row]} view') for row in range(inputs['views'])]
    if 'depth' in inputs:
        for row in range(inputs['views']):
            tiles.append((colorize_depth(inputs['depth'][row, 0].numpy()), f'depth, {VIEWS[row]} view'))
    return tiles


def _fit(photo: np.ndarray) -> tuple[np.ndarray, float]:
    """The photo with its longer side at most ``RAW_SIDE``, and the factor."""
    scale = min(1.0, RAW_SIDE / max(photo.shape[:2]))
    if scale == 1.0:
        return photo, scale
    return cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), scale


def _image(tensor: torch.Tensor) -> np.ndarray:
    return np.ascontiguousarray(tensor.permute(1, 2, 0).numpy())


def _depth(stored: torch.Tensor) -> np.ndarray:
    return stored[0].numpy().astype(np.float32) / 65535


def _preprocessor(cfg: Config, stream: str | None) -> HandDataPreprocessor | None:
    """The preprocessor of the config, with an augmented view where a contrastive pair has one."""
    model: Any = cfg.get('model') or {}
    if model.get('data_preprocessor') is None:
        return None
    augmented = any('+' in name for pair in model.get('contrast') or () for name in pair)
    built: Any = MODELS.build({'augmented_view': augmented, **model.data_preprocessor})
    return built.streams[stream or 'target'] if hasattr(built, 'streams') else built


def main(argv: Sequence[str] | None = None) -> int:
    """Write one sheet a sample; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand browse-dataset',
        description='Draw samples of a dataset: photo, crop, both views, depth, mask and labels.',
    )
    parser.add_argument('config', help='config file, or the name of a shipped config')
    parser.add_argument(
        '--split', choices=SPLITS, help='which dataloader (default: the first the config has)'
    )
    parser.add_argument('--stream', help='which stream of a training that has several (default: its driver)')
    parser.add_argument('--number', type=int, default=8, help='how many samples, spread over the set')
    parser.add_argument(
        '--out', default='work_dirs/browse', help='folder for the sheets (default: %(default)s)'
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of crop and texture')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    args = parser.parse_args(argv)
    if args.number < 1:
        raise ConfigError(f'--number must be at least 1, got {args.number}')
    cfg = get_config(args.config)
    override(cfg, args.cfg_options)
    split, settings = dataset_config(cfg, args.split, args.stream)
    torch.manual_seed(args.seed)
    dataset: BaseHandDataset = DATASETS.build(dict(settings))
    preprocessor = _preprocessor(cfg, args.stream)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    places = np.unique(np.linspace(0, len(dataset) - 1, min(args.number, len(dataset))).astype(int))
    for place in places:
        packed = dataset[int(place)]
        sheet = sample_sheet(packed, preprocessor, training=split == 'train')
        name = str(packed['data_samples'].metainfo['sample_id']).replace('/', '_')
        path = out / f'{split}_{place:06d}_{name}.png'
        if not cv2.imwrite(str(path), sheet[..., ::-1]):
            raise ConfigError(f'{path} cannot be written; choose another --out')
        print(path)
    print(f'{len(places)} of {len(dataset)} samples of {dataset.metainfo["dataset_name"]} ({split}) in {out}')
    return 0
