from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmdualhand.cli import browse_dataset
from mmdualhand.cli.main import run

SMALL = ['train_dataloader.dataset.num_samples=3', 'val_dataloader.dataset.num_samples=2']


@pytest.fixture
def config(tmp_path, rhd_root):
    """A config of data and views only."""
    path = tmp_path / 'toy.py'
    path.write_text(
        f"""
pipeline = [
    dict(type='LoadHandModalities'),
    dict(type='HandCrop', input_size=(96, 96), augment=dict()),
    dict(type='NormalizeDepth'),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(dataset=dict(type='RHDDataset', data_root={str(rhd_root)!r}, pipeline=pipeline))
val_dataloader = dict(
    dataset=dict(type='RHDDataset', data_root={str(rhd_root)!r}, split='evaluation', pipeline=pipeline)
)
strong = dict(rgb=dict(brightness=0.4), depth=dict(offset=0.1))
texture = dict(plain=dict(), augmented=strong)
model = dict(
    contrast=[('rgb', 'rgb+')], data_preprocessor=dict(type='HandDataPreprocessor', texture=texture)
)
"""
    )
    return str(path)


def test_sheets_of_both_splits(config, tmp_path, capsys):
    out = tmp_path / 'sheets'
    assert run('browse-dataset', [config, '--out', str(out), '--number', '2', '--cfg-options', *SMALL]) == 0
    assert run('browse-dataset', [config, '--out', str(out), '--split', 'val', '--cfg-options', *SMALL]) == 0
    assert '2 of 3 samples of RHD (train)' in capsys.readouterr().out
    train, val = sorted(out.glob('train_*.png')), sorted(out.glob('val_*.png'))
    assert len(train) == 2 and len(val) == 2
    assert train[0].name.startswith('train_000000_000') and train[0].name.endswith(('left.png', 'right.png'))
    sheet, plain = cv2.imread(str(train[0])), cv2.imread(str(val[0]))
    # the photo of 320 px is in the first column; training adds the four pictures of the views
    assert sheet.shape[1] > 320 + 3 * 96 and sheet.shape[0] - plain.shape[0] > 96
    assert (sheet != 255).mean() > 0.2 and np.unique(sheet).size > 200


@pytest.mark.parametrize(
    ('name', 'views'),
    [('pretrain_rhd', ['plain', 'augmented']), ('ablation/r_rhd', ['plain'])],
)
def test_the_views_are_those_that_the_config_trains_on(name, views, rhd_root, tmp_path, monkeypatch):
    sheets = []

    def panel(pictures, titles, **options):
        sheets.append(list(titles))
        return pictures[0]

    monkeypatch.setattr(browse_dataset, 'panel', panel)
    monkeypatch.setenv('HAND_DATA', str(rhd_root.parent))
    assert run('browse-dataset', [name, '--out', str(tmp_path), '--number', '1']) == 0
    (titles,) = sheets
    expected = [f'{kind}, {view} view' for kind in ('rgb', 'depth') for view in views]
    assert [title for title in titles if title.endswith(' view')] == expected


def test_wrong_requests_are_one_sentence(config, capsys):
    assert run('browse-dataset', [config, '--split', 'test']) == 2
    assert 'no test_dataloader with a dataset; it has: train, val.' in capsys.readouterr().err
    assert run('browse-dataset', [config, '--number', '0']) == 2
    assert '--number must be at least 1' in capsys.readouterr().err
