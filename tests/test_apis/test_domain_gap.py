"""The domain gap: what is compared with what, and that finished parts are kept."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mmdualhand.apis.domain_gap import Cell, gap_row, gap_table
from mmdualhand.apis.rendered_looks import LookDataset, LookSet
from mmdualhand.cli.main import run


def cells(source, target, adapted=(0.0, 0.0)):
    """Errors of two seeds: source-look networks (own, target look), target-look networks."""
    out = {}
    for seed in (0, 1):
        own, across = source[seed]
        errors = dict(own_look=own, target_look=across, target_look_bn=adapted[seed])
        out[Cell('stb', 'source', seed)] = errors
        out[Cell('stb', 'target', seed)] = dict(
            own_look=target[seed], target_look=target[seed], target_look_bn=target[seed]
        )
    return out


def test_gap_is_relative_to_the_network_of_the_target_look():
    row = gap_row('stb', cells([(20.0, 30.0), (20.0, 36.0)], [20.0, 24.0], (25.0, 30.0)))
    assert row.gap == pytest.approx((0.5, 0.0))  # (30 - 20) / 20 and (36 - 24) / 24
    assert row.gap_bn == pytest.approx((0.25, 0.0))
    assert row.oracle_ratio == pytest.approx((1.1, np.std([1.0, 1.2], ddof=1)))
    assert row.source_to_target == pytest.approx((33.0, np.std([30, 36], ddof=1)))
    assert '| stb | 20.0 +- 0.0 | 33.0 +- 4.2 |' in gap_table([row])


def test_seeds_are_paired():
    row = gap_row('stb', cells([(20.0, 30.0), (20.0, 30.0)], [15.0, 30.0]))
    assert row.gap[0] == pytest.approx(0.5)  # the mean of 1 and 0, not 30 / 22.5 - 1


def test_one_seed_has_no_spread():
    results = {cell: value for cell, value in cells([(20.0, 30.0)] * 2, [20.0] * 2).items() if cell.seed == 0}
    assert gap_row('stb', results).gap == (0.5, 0.0)


@pytest.fixture(scope='module')
def measured(tmp_path_factory):
    """The smallest measurement there is, through the command."""
    folder = tmp_path_factory.mktemp('gap')
    arguments = ['--targets', 'freihand', '--seeds', '1', '--train', '32', '--test', '4', '--epochs', '1']
    assert run('measure-domain-gap', [*arguments, '--workers', '2', '--work-dir', str(folder)]) == 0
    return folder, arguments


def sets(folder):
    """The kept pictures by split and look."""
    paths = list((folder / 'pictures').iterdir())
    return {'/'.join(path.name.split('_')[1:3]): LookSet.load(path) for path in paths}


def times(folder):
    """When each finished part was written."""
    parts = [path for part in ('pictures', 'cells') for path in (folder / part).iterdir()]
    return {path: path.stat().st_mtime_ns for path in parts}


def test_both_looks_show_the_same_hands(measured):
    pictures = sets(measured[0])
    for split, count in (('train', 32), ('test', 4)):
        plain, photographed = pictures[f'{split}/source'], pictures[f'{split}/target']
        assert len(plain.image) == count
        assert np.array_equal(plain.joints, photographed.joints)
        assert np.array_equal(plain.camera, photographed.camera)
        different = (plain.image != photographed.image).reshape(count, -1).mean(1)
        assert (different > 0.3).all()
    assert not np.array_equal(pictures['train/source'].joints[:4], pictures['test/source'].joints)


def test_joints_lie_on_the_hand_of_the_kept_pictures(measured):
    plain = sets(measured[0])['train/source']
    for i in range(8):
        batch = LookDataset(plain, 96)[i]
        uv = batch['targets']['pose25d'][:, :2].numpy() * 1.5 + 0.25  # 64-grid to 96 px
        mask = batch['inputs']['mask'][0].numpy()
        column, row = np.clip(np.rint(uv).astype(int), 0, 95).T
        assert mask[row, column].mean() > 0.6


def test_finished_parts_are_not_made_again(measured, capsys):
    folder, arguments = measured
    before = times(folder)
    assert run('measure-domain-gap', [*arguments, '--workers', '2', '--work-dir', str(folder)]) == 0
    assert times(folder) == before and len(before) == 6
    assert '| freihand |' in capsys.readouterr().out
    row = json.loads((folder / 'gap.json').read_text())[0]
    kept = json.loads((folder / 'cells' / 'freihand_source_0.json').read_text())['errors']
    assert row['source_to_target'][0] == kept['target_look'] and 20 < kept['target_look'] < 120


@pytest.mark.parametrize('option', ['--seeds', '--train', '--epochs', '--workers'])
def test_numbers_must_be_positive(option, capsys):
    assert run('measure-domain-gap', [option, '0']) == 2
    assert option in capsys.readouterr().err
