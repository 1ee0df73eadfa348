"""model-index.yml and the metafiles say what the configs say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import mmdualhand
from mmdualhand.apis.model_index import FOLDERS, describe, folder_of, indexed_models, model_index

ROOT = Path(__file__).resolve().parents[2]
CHECKED = [
    'pretrain_rhd', 'finetune_ge_real', 'compared/ccssl_official_stb', 'compared/semihand_official_h3d',
    'small/compared/animalda_res101_mvhand', 'controls/source_only', 'mini/ablation/ft_l_stb',
]  # fmt: skip


def read(folder: str) -> dict:
    return yaml.safe_load((ROOT / 'configs' / folder / 'metafile.yml').read_text(encoding='utf-8'))


def test_every_training_is_described_once_and_nothing_else():
    found = [entry['Name'] for folder in FOLDERS for entry in read(folder)['Models']]
    assert sorted(found) == sorted(indexed_models())
    assert set(mmdualhand.list_models()) - set(found) == set(mmdualhand.list_models('benchmarks/*'))


@pytest.mark.parametrize('name', CHECKED)
def test_entries_are_those_of_the_configs(name):
    """The others: python tools/write_model_index.py changes nothing."""
    assert model_index()[name] == describe(name)


def test_entries_by_hand():
    index = model_index()
    assert index['finetune_stb']['Metadata'] == {
        'Architecture': ['SelfTrainingEstimator', 'DualResNet-101', 'MultiModal2.5DHead'],
        'Training Data': ['RHD', 'STB'],
        'Input Size': [256, 256],
    }
    regda = index['compared/regda_res101_h3d']
    assert regda['In Collection'] == 'RegDA' and regda['Results'][0]['Task'] == 'Hand 2D Keypoint'


def test_paths_and_collections_lead_somewhere():
    imported = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    assert imported == [f'configs/{folder}/metafile.yml'.replace('//', '/') for folder in FOLDERS]
    for folder in FOLDERS:
        content = read(folder)
        known = {one['Name'] for one in content['Collections']}
        assert known == {entry['In Collection'] for entry in content['Models']}
        for one in content['Collections']:
            assert (ROOT / one['README']).is_file(), one
        for entry in content['Models']:
            assert (ROOT / entry['Config']).is_file() and folder_of(entry['Name']) == folder
            assert entry['Config'] == f'configs/{entry["Name"]}.py'
