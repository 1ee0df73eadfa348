"""The index of the shipped trainings in OpenMMLab's form, derived from their configs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from mmdualhand.apis.model_zoo import config_root, get_config, list_models
from mmdualhand.errors import MissingFileError
from mmdualhand.registry import DATASETS

METAFILE = 'metafile.yml'
"""Beside the configs that it describes; those of subfolders without a file of their own too."""
FOLDERS = ('', 'ablation', 'compared', 'controls', 'mini', 'small')
"""Folders of the configs that have a metafile."""

_PAPER = 'Cross-Domain 3D Hand Pose Estimation with Dual Modalities'
_CVPR_2023 = 'https://openaccess.thecvf.com/content/CVPR2023/html/Lin_Cross-Domain_3D_Hand_Pose_Estimation_With_Dual_Modalities_CVPR_2023_paper.html'  # noqa: E501
COLLECTIONS: Mapping[str, Mapping[str, str]] = {
    'Dual modalities': {'Title': _PAPER, 'URL': _CVPR_2023, 'README': 'docs/self_training.md'},
    'AnimalDA': {
        'Title': 'From Synthetic to Real: Unsupervised Domain Adaptation for Animal Pose Estimation',
        'URL': 'https://arxiv.org/abs/2103.14843',
        'README': 'docs/methods/animal_da.md',
    },
    'CC-SSL': {
        'Title': 'Learning from Synthetic Animals',
        'URL': 'https://arxiv.org/abs/1912.08265',
        'README': 'docs/methods/cc_ssl.md',
    },
    'PeCLR': {
        'Title': 'PeCLR: Self-Supervised 3D Hand Pose Estimation from Monocular RGB via Equivariant '
        'Contrastive Learning',
        'URL': 'https://arxiv.org/abs/2106.05953',
        'README': 'docs/methods/peclr.md',
    },
    'RegDA': {
        'Title': 'Regressive Domain Adaptation for Unsupervised Keypoint Detection',
        'URL': 'https://arxiv.org/abs/2103.06175',
        'README': 'docs/methods/regda.md',
    },
    'SemiHand': {
        'Title': 'SemiHand: Semi-Supervised Hand Pose Estimation with Consistency',
        'URL': 'https://openaccess.thecvf.com/content/ICCV2021/html/Yang_SemiHand_Semi-Supervised_Hand_Pose_Estimation_With_Consistency_ICCV_2021_paper.html',  # noqa: E501
        'README': 'docs/methods/semihand.md',
    },
}
"""Method to its paper and page."""
_METHODS = {name.lower().replace('-', ''): name for name in COLLECTIONS}
"""First word of the name of a config to its method."""


def model_index() -> dict[str, dict[str, Any]]:
    """What the metafiles say, by the names of :func:`~mmdualhand.apis.model_zoo.list_models`.

    Raises:
        MissingFileError: A metafile is not there.
    """
    found: dict[str, dict[str, Any]] = {}
    for folder in FOLDERS:
        path = config_root() / folder / METAFILE
        if not path.is_file():
            raise MissingFileError(f'{path} is not there: install mmdualhand again')
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
        found.update({entry['Name']: entry for entry in content['Models']})
    return found


def indexed_models() -> list[str]:
    """Names that belong into the index: all shipped configs that train a network."""
    return [name for name in list_models() if not name.startswith('benchmarks/')]


def folder_of(name: str) -> str:
    """The folder of the metafile that a config is described in."""
    first, slash, _ = name.partition('/')
    return first if slash else ''


def describe(name: str) -> dict[str, Any]:
    """The entry of one config.

    Args:
        name: Of :func:`indexed_models`.

    Returns:
        ``Name``, ``In Collection``, ``Config``, ``Metadata`` and ``Results`` (task and data set that it is
        tested on; measured numbers stand in ``results/``). There are no published weights.
    """
    cfg = get_config(name)
    model, test = cfg.model, _dataset(cfg.test_dataloader.dataset)
    flat = model.head.codec.get('type', 'Pose25D') == 'Heatmap'
    architecture = [model.type, _backbone(model.backbone), model.head.get('type', '')]
    return {
        'Name': name,
        'In Collection': _METHODS.get(name.split('/')[-1].split('_')[0], 'Dual modalities'),
        'Config': f'configs/{name}.py',
        'Metadata': {
            'Architecture': architecture,
            'Training Data': _training_data(cfg),
            'Input Size': [int(side) for side in _pair(model.head.codec.get('input_size', 256))],
        },
        'Results': [{'Task': f'Hand {2 if flat else 3}D Keypoint', 'Dataset': test}],
    }


def write_index(root: Path) -> list[Path]:
    """Write ``model-index.yml`` and all metafiles of a checkout.

    Args:
        root: Of the checkout.

    Returns:
        The files.
    """
    written = []
    for folder in FOLDERS:
        names = [name for name in indexed_models() if folder_of(name) == folder]
        entries = [describe(name) for name in names]
        used = {entry['In Collection'] for entry in entries}
        path = root / 'configs' / folder / METAFILE
        path.write_text(_text({'Collections': _collections(used), 'Models': entries}), encoding='utf-8')
        written.append(path)
    index = root / 'model-index.yml'
    imports = [path.relative_to(root).as_posix() for path in written]
    index.write_text(_text({'Import': imports}), encoding='utf-8')
    return [index, *written]


def _collections(used: Iterable[str]) -> list[dict[str, Any]]:
    return [
        {'Name': name, 'Paper': {key: facts[key] for key in ('Title', 'URL')}, 'README': facts['README']}
        for name, facts in COLLECTIONS.items()
        if name in set(used)
    ]


def _text(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=1000)


def _backbone(config: Mapping[str, Any]) -> str:
    return f'{config["type"]}-{config["depth"]}' if 'depth' in config else str(config['type'])


def _training_data(cfg: Any) -> list[str]:
    loader = cfg.train_dataloader
    streams = loader.get('streams')
    parts = [loader] if streams is None else list(streams.values())
    names = [_dataset(part.get('dataset', part)) for part in parts]
    return list(dict.fromkeys(names))


def _dataset(config: Mapping[str, Any]) -> str:
    inner = config.get('dataset')
    if inner is not None:
        return _dataset(inner)
    kind: Any = DATASETS.get(config['type'])
    return str(kind.dataset_name)


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else tuple(size)
