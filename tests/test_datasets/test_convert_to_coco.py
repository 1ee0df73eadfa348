"""Every dataset to COCO and back, to the last bit."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdualhand.cli.main import run
from mmdualhand.compat import import_xtcocotools
from mmdualhand.datasets import (
    CocoHandDataset,
    FreiHANDDataset,
    GeRealDataset,
    H3DDataset,
    MVHandDataset,
    RHDDataset,
    STBDataset,
)
from mmdualhand.datasets.coco_export import write_coco
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.structures import JOINT_NAMES, Camera
from mmdualhand.testing import check_dataset
from tests.fixtures.coco_writer import require_xtcocotools, write_flat_coco
from tests.fixtures.freihand_writer import write_freihand
from tests.fixtures.h3d_writer import write_h3d
from tests.fixtures.mvhand_writer import write_mvhand
from tests.fixtures.stb_writer import write_stb
from tests.test_datasets.conftest import shared_folder
from tests.test_datasets.test_dataset_base import ToyDataset

require_xtcocotools()
SAME = ('dataset_name', 'wrist_convention', 'lifting', 'embedded', 'split')


def assert_same(first, second, path=''):
    """Equal keys, types, numbers to the last bit."""
    assert type(first) is type(second), path
    if isinstance(first, dict):
        assert set(first) == set(second), path
        for key in first:
            assert_same(first[key], second[key], f'{path}/{key}')
    elif isinstance(first, np.ndarray):
        assert first.dtype == second.dtype and first.shape == second.shape, path
        assert first.tobytes() == second.tobytes(), path
    else:
        assert first == second, path


def round_trip(dataset, path):
    assert write_coco(dataset, path) == len(dataset)
    back = CocoHandDataset(dataset.data_root, path.absolute())
    assert len(back) == len(dataset)
    for index in range(len(dataset)):
        assert_same(dataset.labels_only(index), back.labels_only(index))
    assert {key: back.metainfo[key] for key in SAME} == {key: dataset.metainfo[key] for key in SAME}
    return back


def test_rhd(rhd_root, tmp_path):
    back = round_trip(RHDDataset(rhd_root), tmp_path / 'rhd.json')
    check_dataset(back)
    assert back.metainfo['embedded'] is True and back.metainfo['dataset_name'] == 'RHD'


def test_h3d_and_mvhand(tmp_path):
    round_trip(H3DDataset(write_h3d(tmp_path / 'H3D_crop', 8), 'all'), tmp_path / 'h3d.json')
    root = write_mvhand(tmp_path / 'MVHand', 2, sequences=['7-14-1-2'], hand_bright=False)
    dataset = MVHandDataset(root, sequences=['7-14-1-2'], modalities=('rgb', 'depth', 'mask'))
    back = round_trip(dataset, tmp_path / 'deep' / 'mvhand.json')
    assert back.labels_only(0)['mask_values'] == (0, 127)


def test_stb_and_freihand(tmp_path):
    write_stb(tmp_path / 'STB', ['B2Random'])
    stb = STBDataset(tmp_path / 'STB', sequences=['B2Random'], modalities=('rgb', 'depth'), wrist='2p-m')
    back = round_trip(stb, tmp_path / 'stb.json')
    assert back.metainfo['wrist_convention'] == 'wrist = 2 palm - middle MCP'
    assert back.labels_only(0)['depth_registration']['rotation'].shape == (3, 3)
    root = tmp_path / 'FreiHAND_pub_v2'
    write_freihand(root)
    round_trip(FreiHANDDataset(root, versions=('gs',), modalities=('rgb', 'mask')), tmp_path / 'frei.json')


def test_ge_photos(tmp_path):
    folder = shared_folder('ge_real')
    for options in (dict(split='all'), dict(split='dev', reference_length='dataset')):
        back = round_trip(GeRealDataset(folder, **options), tmp_path / f'ge_{options["split"]}.json')
    assert back.metainfo['lifting'] == 'true root depth, constant 50 mm'
    assert back.labels_only(0)['ref_length'] == 50.0


def test_2d_labels_with_unknown_joints(tmp_path):
    """Also of a hand that has hardly any."""
    write_flat_coco(tmp_path, ('0.jpg', '1.jpg', '2.jpg'))
    path = tmp_path / 'flat.json'
    content = json.loads(path.read_text())
    content['annotations'][2]['keypoints'] = [30.5, 40.25, 1] + 60 * [0]
    path.write_text(json.dumps(content))
    assert len(CocoHandDataset(tmp_path, path, source='onehand10k')) == 2
    flat = CocoHandDataset(tmp_path, path, source='onehand10k', min_labelled=1)
    back = round_trip(flat, tmp_path / 'again.json')
    assert np.isnan(back.labels_only(1)['keypoints_2d']).any()
    flags = json.loads((tmp_path / 'again.json').read_text())['annotations'][1]['keypoints'][2::3]
    assert flags.count(0) == 2 and flags.count(2) == 19


class Registered(ToyDataset):
    """Depth of another camera, no word about visibility, a skewed camera."""

    def load_record(self, index):
        record = super().load_record(index)
        record.pop('keypoints_visible', None)
        record['camera'] = record['camera'] + np.array([[0, 0.1, 0], [0, 0, 0], [0, 0, 0]])
        record['keypoints_2d'] = Camera(record['camera']).project(record['keypoints_3d'])
        turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
        motion = {'camera': record['camera'] / [[3.0], [3.0], [1.0]], 'rotation': turn}
        record['depth_registration'] = {**motion, 'translation': np.array([0.1, 1 / 3, -24.0])}
        record['depth_path'], record['depth_encoding'] = record['img_path'], 'millimetre'
        record['root_depth'], record['ref_length'] = float(record['keypoints_3d'][9, 2]), 1 / 3 + 30
        return record


@pytest.fixture
def toy(tmp_path):
    picture = tmp_path / 'toys' / 'photo.png'
    picture.parent.mkdir()
    cv2.imwrite(str(picture), np.zeros((100, 200, 3), np.uint8))
    return Registered(str(picture), lambda record: record)


def test_everything_that_a_record_may_hold(toy, tmp_path):
    toy.data_root = tmp_path
    back = round_trip(toy, tmp_path / 'toy.json')
    assert back.labels_only(3)['depth_registration']['translation'][1] == 1 / 3


def test_what_is_written_is_coco_for_others(rhd_root, tmp_path):
    path = tmp_path / 'rhd.json'
    dataset = RHDDataset(rhd_root)
    write_coco(dataset, path)
    coco = import_xtcocotools().COCO(str(path))
    assert coco.loadCats([1])[0]['keypoints'] == list(JOINT_NAMES)
    assert coco.loadCats([1])[0]['skeleton'][:2] == [[1, 2], [2, 3]]
    row, record = coco.loadAnns(coco.getAnnIds())[0], dataset.labels_only(0)
    image = coco.loadImgs([row['image_id']])[0]
    assert image['file_name'].startswith('training/color/')
    assert (image['width'], image['height']) == (320, 320)
    assert image['cam_param'] == dict(focal=[record['camera'][0, 0]] * 2, princpt=[160.0, 160.0])
    points = np.array(row['keypoints']).reshape(21, 3)
    np.testing.assert_array_equal(points[:, :2], record['keypoints_2d'])
    np.testing.assert_array_equal(points[:, 2], 1 + record['keypoints_visible'])
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    np.testing.assert_allclose(row['bbox'], [*low, *(high - low)])
    assert row['hand_type'] == record['hand_side'] and row['num_keypoints'] == 21
    assert np.array_equal(row['joint_cam'], record['keypoints_3d'])
    # a picture of two hands is listed once
    assert len(coco.imgs) == len({dataset.labels_only(i)['img_path'] for i in range(len(dataset))})


def test_mmpose_reading_of_our_file_gives_the_same_labels(rhd_root, tmp_path):
    dataset = RHDDataset(rhd_root)
    write_coco(dataset, tmp_path / 'rhd.json')
    read = CocoHandDataset(rhd_root, tmp_path / 'rhd.json', source='freihand', side='annotation')
    for index in range(len(dataset)):
        ours, theirs = dataset.labels_only(index), read.labels_only(index)
        for key in ('keypoints_2d', 'keypoints_3d', 'camera', 'hand_side'):
            assert np.array_equal(ours[key], theirs[key])


def test_a_picture_outside_the_root(toy, tmp_path):
    toy.data_root = tmp_path / 'elsewhere'
    path = tmp_path / 'toy.json'
    with pytest.raises(ConfigError, match=r'photo\.png does not lie in .*--root'):
        write_coco(toy, path)
    assert not list(tmp_path.glob('toy.json*'))
    assert write_coco(toy, path, tmp_path) == len(toy)


def test_another_version_is_refused(rhd_root, tmp_path):
    path = tmp_path / 'rhd.json'
    write_coco(RHDDataset(rhd_root, num_samples=2), path)
    content = json.loads(path.read_text())
    content['info']['version'] = 9
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match='is of version 9, this program reads version 1'):
        CocoHandDataset(rhd_root, path)
    content['info']['version'] = 1
    del content['annotations'][1]['hand_type']
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"rhd\.json, annotation 2: a part of the record .*'hand_type'"):
        CocoHandDataset(rhd_root, path)


def test_command_on_a_class_and_on_a_config(rhd_root, tmp_path, capsys):
    out = tmp_path / 'coco.json'
    arguments = ['RHDDataset', '--root', str(rhd_root), '--split', 'evaluation', '--out', str(out)]
    assert run('convert-to-coco', [*arguments, '--options', 'selection.min_visible=0']) == 0
    text = capsys.readouterr().out
    assert 'hands of RHD in' in text
    back = eval(text.splitlines()[-1])
    assert back.pop('type') == 'CocoHandDataset'
    wanted = RHDDataset(rhd_root, 'evaluation', selection=dict(min_visible=0))
    assert len(CocoHandDataset(**back)) == len(wanted)
    assert run('convert-to-coco', arguments) == 2
    assert '--overwrite' in capsys.readouterr().err
    config = ['benchmarks/rhd', '--dataloader', 'test', '--root', str(rhd_root), '--out', str(out)]
    assert run('convert-to-coco', [*config, '--overwrite']) == 0
    assert CocoHandDataset(rhd_root, out).metainfo['split'] == 'evaluation'
    for wrong, message in (
        (['RHDDatset', '--out', str(tmp_path / 'a')], "Did you mean 'RHDDataset'"),
        (['benchmarks/rdh', '--out', str(tmp_path / 'a')], 'neither a config file nor the name'),
        (['RHDDataset', '--dataloader', 'test', '--out', str(tmp_path / 'a')], 'are for configs'),
    ):
        assert run('convert-to-coco', wrong) == 2
        assert message in capsys.readouterr().err


def test_tool_is_the_command():
    text = (Path(__file__).resolve().parents[2] / 'tools' / 'convert_to_coco.py').read_text()
    assert "run('convert-to-coco')" in text
