from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

from mmdualhand.datasets import RHDDataset
from mmdualhand.datasets.transforms import LoadHandModalities
from mmdualhand.errors import ConfigError, DataError, MissingFileError, UnsafeFileError
from mmdualhand.structures import Camera, chirality_vote


def annotation_of(root, split='training'):
    with open(root / split / f'anno_{split}.pickle', 'rb') as file:
        return pickle.load(file)


def rewrite(root, change, split='training'):
    content = annotation_of(root, split)
    change(content)
    (root / split / f'anno_{split}.pickle').write_bytes(pickle.dumps(content, protocol=2))


def test_records_by_hand(rhd_root):
    content = annotation_of(rhd_root)
    dataset = RHDDataset(rhd_root)
    expected = [
        f'{number:05d}/{side}'
        for number in sorted(content)
        for side, rows in (('left', slice(0, 21)), ('right', slice(21, 42)))
        if content[number]['uv_vis'][rows, 2].sum() > 16  # no overlapping or tiny hands in this fixture
    ]
    assert [dataset.labels_only(index)['sample_id'] for index in range(len(dataset))] == expected
    for place, name in enumerate(expected):
        record, raw = dataset.labels_only(place), content[int(name[:5])]
        first = 0 if name.endswith('left') else 21
        # raw: wrist, then thumb tip..base, index tip..base, ...
        for joint, offset in ((0, 0), (1, 4), (4, 1), (5, 8), (8, 5), (9, 12), (10, 11), (17, 20), (20, 17)):
            np.testing.assert_allclose(
                record['keypoints_3d'][joint], raw['xyz'][first + offset] * 1000.0, rtol=1e-6
            )
            assert record['keypoints_2d'][joint].tolist() == raw['uv_vis'][first + offset, :2].tolist()
            assert record['keypoints_visible'][joint] == raw['uv_vis'][first + offset, 2]
        assert record['camera'].tolist() == raw['K'].tolist() and record['camera'].dtype == np.float64
        assert record['hand_side'] == name[6:]
        assert record['mask_values'] == ((2, 17) if name.endswith('left') else (18, 33))
        assert record['depth_encoding'] == 'rhd'
        assert record['img_path'] == str(rhd_root / 'training' / 'color' / f'{name[:5]}.png')


def test_geometry_of_the_records(rhd_root):
    dataset = RHDDataset(rhd_root, selection=dict(min_visible=1))
    records = [dataset.labels_only(index) for index in range(len(dataset))]
    for record in records:
        projected = Camera(record['camera']).project(record['keypoints_3d'])
        assert np.abs(projected - record['keypoints_2d']).max() < 0.05
        assert np.isfinite(record['keypoints_2d']).all()
    for side in ('left', 'right'):
        joints = np.stack([record['keypoints_3d'] for record in records if record['hand_side'] == side])
        assert chirality_vote(joints) == side
        bones = np.linalg.norm(joints[:, 10] - joints[:, 9], axis=-1)
        assert ((bones > 30) & (bones < 60)).all()


def test_selection_options(rhd_root):
    everything = RHDDataset(rhd_root, selection=None)
    assert len(everything) == 32
    assert len(RHDDataset(rhd_root, selection=dict(min_visible=1))) == 16 + sum(
        record['uv_vis'][:21, 2].any() and record['uv_vis'][21:, 2].any()
        for record in annotation_of(rhd_root).values()
    )
    with pytest.raises(ConfigError, match='min_side.*known keys: min_visible, min_crop_side, max_overlap'):
        RHDDataset(rhd_root, selection=dict(min_side=64))
    with pytest.raises(DataError, match='no usable record'):
        RHDDataset(rhd_root, selection=dict(min_crop_side=5000))


def test_splits_and_metainfo(rhd_root):
    evaluation = RHDDataset(rhd_root, 'evaluation', selection=None)
    assert len(evaluation) == 12
    info = evaluation.metainfo
    assert info['split'] == 'evaluation' and info['lifting'] == 'true root depth, true |9-10|'
    assert info['dataset_name'] == 'RHD' and info['embedded'] is True and info['units'] == 'mm'
    assert info['root_joint'] == 9 and info['reference_bone'] == [9, 10] and info['crop_rule'] == 'none'
    assert info['wrist_convention'] == 'wrist' and len(info['joint_names']) == 21
    with pytest.raises(ConfigError, match="'training' or 'evaluation', got 'train'"):
        RHDDataset(rhd_root, 'train')


def test_modalities(rhd_copy):
    dataset = RHDDataset(rhd_copy, modalities=('rgb',))
    assert not {'depth_path', 'mask_path', 'mask_values'} & set(dataset.labels_only(0))
    for path in (rhd_copy / 'training' / 'depth').iterdir():
        path.unlink()
    (rhd_copy / 'training' / 'depth').rmdir()
    assert len(RHDDataset(rhd_copy, modalities=('rgb', 'mask'))) == len(dataset)
    with pytest.raises(MissingFileError, match="depth is missing.*leave 'depth' out of modalities"):
        RHDDataset(rhd_copy)
    with pytest.raises(ConfigError, match='modalities'):
        RHDDataset(rhd_copy, modalities=('depth',))


def test_missing_root_is_one_sentence(tmp_path):
    with pytest.raises(MissingFileError) as caught:
        RHDDataset(tmp_path / 'nowhere')
    text = str(caught.value)
    assert str(tmp_path / 'nowhere' / 'training' / 'anno_training.pickle') in text
    assert 'lmb.informatik.uni-freiburg.de/resources/datasets/RenderedHandposeDataset.en.html' in text
    assert 'mmdualhand make-mini-benchmark --out data/mini --only rhd' in text
    assert 'HAND_DATA=data/mini' in text
    assert text.endswith('.') and '\n' not in text and '. ' not in text


def test_missing_file_names_file_and_record(rhd_copy):
    (rhd_copy / 'training' / 'depth' / '00004.png').unlink()
    with pytest.raises(DataError, match=r"depth.00004\.png of record 4 does not exist; on_error='skip'"):
        RHDDataset(rhd_copy)
    dataset = RHDDataset(rhd_copy, on_error='skip', selection=None)
    assert dataset.num_skipped == 1 and len(dataset) == 30
    assert not any(dataset.labels_only(i)['sample_id'].startswith('00004') for i in range(len(dataset)))


def test_truncated_file_names_file_and_sample(rhd_copy):
    for name in ('color/00000.png', 'mask/00001.png'):
        path = rhd_copy / 'training' / name
        path.write_bytes(path.read_bytes()[:-200])
    dataset = RHDDataset(rhd_copy, selection=None, pipeline=[LoadHandModalities()], num_checked=0)
    with pytest.raises(DataError, match=r'00000\.png of sample .00000/left. is truncated'):
        dataset[0]
    with pytest.raises(DataError, match=r'00001\.png of sample .00001/right. is truncated'):
        dataset[3]
    skipping = RHDDataset(rhd_copy, selection=None, pipeline=[LoadHandModalities()], on_error='skip')
    assert skipping.num_skipped == 2 and len(skipping) == 28
    assert skipping[0]['sample_id'] == '00002/left'


def test_a_measured_sample_is_not_replaced(rhd_copy):
    options = dict(selection=None, pipeline=[LoadHandModalities()], on_error='skip', num_checked=0)
    training, measured = RHDDataset(rhd_copy, **options), RHDDataset(rhd_copy, test_mode=True, **options)
    path = rhd_copy / 'training' / 'color' / '00000.png'  # breaks after both were built
    path.write_bytes(path.read_bytes()[:-200])
    assert training[0]['sample_id'] == '00001/left' and training.num_skipped == 2
    with pytest.raises(DataError, match=r'test_mode=True no other.*00000\.png of sample .00000/left.'):
        measured[0]
    assert measured.num_skipped == 0 and measured[2]['sample_id'] == '00001/left'
    path.unlink()
    with pytest.raises(MissingFileError, match='sample 1 of RHD .*00000/right'):
        measured[1 - len(measured)]


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        (
            'xyz',
            np.zeros((21, 3), np.float32),
            r'record 5: xyz must be numbers of shape \(42, 3\), got \(21, 3\)',
        ),
        ('uv_vis', [[0, 0, 0]] * 42, r'record 5: uv_vis must be numbers of shape \(42, 3\), got list'),
        ('K', None, 'record 5: K is missing'),
        ('xyz', np.full((42, 3), np.nan, np.float32), 'record 5: xyz holds NaN'),
        ('uv_vis', np.full((42, 3), np.inf, np.float32), 'record 5: uv_vis holds NaN or infinite'),
        ('K', np.zeros((3, 3), np.float32), 'record 5: K is no intrinsic matrix'),
    ],
)
def test_broken_record_is_named_or_skipped(rhd_copy, key, value, message):
    def change(content):
        if value is None:
            del content[5][key]
        else:
            content[5][key] = value

    rewrite(rhd_copy, change)
    with pytest.raises(DataError, match=r'anno_training\.pickle, ' + message):
        RHDDataset(rhd_copy)
    dataset = RHDDataset(rhd_copy, on_error='skip', selection=None)
    assert dataset.num_skipped == 1 and len(dataset) == 30


def test_several_broken_records_are_counted(rhd_copy):
    def change(content):
        content[2]['xyz'][7] = np.nan
        del content[9]['K']

    rewrite(rhd_copy, change)
    with pytest.raises(DataError, match=r'record 2: xyz.*\(1 more records are broken\)'):
        RHDDataset(rhd_copy)


@pytest.mark.parametrize('content', [{}, [1, 2], {'a': {}}])
def test_other_pickles_are_refused(rhd_copy, content):
    (rhd_copy / 'training' / 'anno_training.pickle').write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match='does not hold RHD records'):
        RHDDataset(rhd_copy)


class Evil:
    def __reduce__(self):
        return os.getcwd, ()


def test_foreign_global_in_the_annotation(rhd_copy):
    rewrite(rhd_copy, lambda content: content[0].update(extra=Evil()))
    for on_error in ('raise', 'skip'):
        with pytest.raises(UnsafeFileError, match=r'anno_training\.pickle asks for posix\.getcwd'):
            RHDDataset(rhd_copy, on_error=on_error)


def test_swapped_axes_are_noticed(rhd_copy):
    def change(content):
        for record in content.values():
            record['uv_vis'][:, :2] = record['uv_vis'][:, 1::-1].copy()

    rewrite(rhd_copy, change)
    with pytest.raises(DataError, match='keypoints_3d projected with camera is .* are x and y swapped'):
        RHDDataset(rhd_copy)


def test_millimetres_on_disk_are_noticed(rhd_copy):
    def change(content):
        for record in content.values():
            record['xyz'] *= 1000

    rewrite(rhd_copy, change)
    with pytest.raises(DataError, match=r'record .0000\d/.* of RHD at .*is no hand in millimetres'):
        RHDDataset(rhd_copy)
