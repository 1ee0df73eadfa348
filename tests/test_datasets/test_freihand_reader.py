from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest

from mmdualhand.datasets import FreiHANDDataset, collate_hand_batch
from mmdualhand.datasets.freihand import pick_images
from mmdualhand.datasets.transforms import LoadHandModalities
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.structures import Camera, chirality_vote
from tests.fixtures.freihand_writer import NO_VERTICES, write_evaluation, write_freihand

UNIQUE = 6
PIPELINE = [
    dict(type='LoadHandModalities', modalities=('rgb',)),
    dict(type='HandCrop', rule='whole', input_size=(64, 64)),
    dict(type='PackHandInputs'),
]


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    """Six unique training photos and what was written; not to be changed."""
    root = tmp_path_factory.mktemp('freihand') / 'FreiHAND_pub_v2'
    return root, write_freihand(root, UNIQUE)


@pytest.fixture
def root(written, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(written[0], tmp_path / 'FreiHAND_pub_v2')


def records(dataset):
    return [dataset.labels_only(index) for index in range(len(dataset))]


def numbers(dataset):
    return [int(record['sample_id'][:8]) for record in records(dataset)]


def replace_list(root, name, change):
    content = json.loads((root / name).read_text())
    (root / name).write_text(json.dumps(change(content)))


def test_records_by_hand(written):
    root, rows = written
    dataset = FreiHANDDataset(root)
    assert numbers(dataset) == list(range(4 * UNIQUE))
    for number, record in enumerate(records(dataset)):
        row = rows[number % UNIQUE]
        assert record['sample_id'] == f'{number:08d}/right' and record['hand_side'] == 'right'
        assert record['img_path'] == str(root / 'training' / 'rgb' / f'{number:08d}.jpg')
        np.testing.assert_allclose(record['keypoints_3d'], np.array(row['xyz']) * 1000, rtol=1e-12)
        assert record['camera'].tolist() == row['K']
        x, y, z = row['xyz'][8]
        by_hand = (row['K'][0][0] * x / z + 112, row['K'][1][1] * y / z + 112)
        np.testing.assert_allclose(record['keypoints_2d'][8], by_hand, rtol=1e-12)
        assert record['keypoints_visible'].tolist() == [1] * 21 and 'mask_path' not in record
    assert chirality_vote(np.stack([record['keypoints_3d'] for record in records(dataset)])) == 'right'


def test_versions(written):
    """Photo = unique + number of unique photos * version."""
    dataset = FreiHANDDataset(written[0], versions=('auto', 'hom'))
    assert numbers(dataset) == [*range(6, 12), *range(18, 24)]
    assert dataset.metainfo['split'] == 'training (hom auto)'
    first, last = dataset.labels_only(2), dataset.labels_only(8)
    np.testing.assert_array_equal(first['keypoints_2d'], last['keypoints_2d'])
    assert numbers(FreiHANDDataset(written[0], versions='gs')) == list(range(6))
    with pytest.raises(ConfigError, match=r"versions of FreiHAND .* gs, hom, sample, auto, got \['blue'\]"):
        FreiHANDDataset(written[0], versions=['blue'])


def test_masks_of_the_green_screen_alone(written):
    """JPEG masks are not binary; photos of other versions have none."""
    root, _ = written
    with_mask = ('rgb', 'mask')
    every = records(FreiHANDDataset(root, modalities=with_mask))
    assert ['mask_path' in record for record in every] == [True] * 6 + [False] * 18
    dataset = FreiHANDDataset(
        root, modalities=with_mask, versions='gs', pipeline=[LoadHandModalities(with_mask)]
    )
    for number in range(6):
        sample = dataset[number]
        stored = cv2.imread(str(root / 'training' / 'mask' / f'{number:08d}.jpg'), cv2.IMREAD_UNCHANGED)
        assert sample['mask_path'].endswith(f'{number:08d}.jpg') and len(np.unique(stored)) > 2
        np.testing.assert_array_equal(sample['mask'], stored > 127)
        u, v = np.rint(sample['keypoints_2d'][9]).astype(int)
        assert sample['mask'][v, u] == 1 and sample['mask'][0, 0] == 0
    with pytest.raises(ConfigError, match=r"modalities of FreiHAND .* got \('rgb', 'depth'\)"):
        FreiHANDDataset(root, modalities=('rgb', 'depth'))


@pytest.mark.parametrize('place', ['merged', 'beside', 'beside_by_name', 'inside', 'eval_alone'])
@pytest.mark.parametrize('labels', ['lists', 'files'])
def test_evaluation_labels_in_every_place(tmp_path, place, labels):
    root = tmp_path / ('FreiHAND' if place == 'beside_by_name' else 'FreiHAND_pub_v2')
    where = {
        'merged': root,
        'beside': tmp_path / 'FreiHAND_pub_v2_eval',
        'beside_by_name': tmp_path / 'FreiHAND_eval',
        'inside': root / 'FreiHAND_pub_v2_eval',
        'eval_alone': root,
    }[place]
    if place != 'eval_alone':
        write_evaluation(root, labels=None)  # the release without labels
    rows = write_evaluation(where, labels=labels)
    dataset = FreiHANDDataset(
        root, 'evaluation', modalities=('rgb', 'mask'), pipeline=[LoadHandModalities(('rgb', 'mask'))]
    )
    assert len(dataset) == 3 and dataset.metainfo['split'] == 'evaluation'
    for row, record in zip(rows, records(dataset), strict=True):
        np.testing.assert_allclose(record['keypoints_3d'], np.array(row['xyz']) * 1000, rtol=1e-12)
        assert record['camera'].tolist() == row['K']
        assert record['img_path'].startswith(str(where))
        assert record['mask_values'] == (1, 255) and record['mask_path'].endswith('.png')
    u, v = np.rint(dataset[0]['keypoints_2d'][9]).astype(int)
    assert dataset[0]['mask'][v, u] == 1 and dataset[0]['mask'][0, 0] == 0


def test_evaluation_without_labels(tmp_path):
    """Unlabelled records, of which the published bone length is known."""
    root = tmp_path / 'FreiHAND_pub_v2'
    rows = write_evaluation(root, labels=None)
    dataset = FreiHANDDataset(root, 'evaluation', PIPELINE)
    for row, record in zip(rows, records(dataset), strict=True):
        assert set(record) == {'sample_id', 'img_path', 'hand_side', 'camera', 'ref_length'}
        joints = np.array(row['xyz']) * 1000
        assert record['ref_length'] == pytest.approx(np.linalg.norm(joints[9] - joints[10]))
    batch = collate_hand_batch([dataset[0], dataset[1]], partial_labels=True)
    assert 'pose25d' not in batch['targets'] and batch['inputs']['img'].shape == (2, 3, 64, 64)
    (root / 'evaluation_scale.json').unlink()
    assert 'ref_length' not in FreiHANDDataset(root, 'evaluation').labels_only(0)
    with pytest.raises(MissingFileError, match=r"segmap is missing: .* leave 'mask' out of modalities"):
        FreiHANDDataset(root, 'evaluation', modalities=('rgb', 'mask'))


def test_vertices_are_never_opened(tmp_path):
    """A folder in place of the file: opening it would raise."""
    root = tmp_path / 'FreiHAND_pub_v2'
    write_freihand(root, 2)
    write_evaluation(root)
    for split in ('training', 'evaluation'):
        path = root / f'{split}_verts.json'
        assert path.read_text() == NO_VERTICES
        path.unlink()
        path.mkdir()
    assert len(FreiHANDDataset(root)) == 8 and len(FreiHANDDataset(root, 'evaluation')) == 3


def test_subset_takes_every_pose_once_first(written):
    """Different unique numbers while there are any, versions in equal shares."""
    root, _ = written
    for size in (3, 6):
        found = np.array(numbers(FreiHANDDataset(root, num_subset=size, subset_seed=4)))
        assert len(set((found % UNIQUE).tolist())) == size
        assert np.bincount(found // UNIQUE, minlength=4).max() <= 2
    more = np.array(numbers(FreiHANDDataset(root, num_subset=14, subset_seed=4)))
    assert len(set(more.tolist())) == 14 and set(np.bincount(more % UNIQUE).tolist()) == {2, 3}
    assert len(FreiHANDDataset(root, num_subset=15000)) == 24
    info = FreiHANDDataset(root, num_subset=3, subset_seed=4).metainfo
    assert info['split'] == 'training (gs hom sample auto, at most 3 photos by seed 4)'


def test_subset_of_the_published_size():
    versions = np.arange(4)
    found = pick_images(np.arange(32560), versions, 32560, 15000, 0)
    assert len(found) == len(np.unique(found % 32560)) == 15000
    assert np.bincount(found // 32560).tolist() == [3750] * 4
    # numbers of a frozen generator: RandomState(0).permutation(32560) begins so
    order = np.random.RandomState(0).permutation(32560)[:4]
    assert found[:4].tolist() == [int(unique) + 32560 * version for version, unique in enumerate(order)]
    assert set(found) < set(pick_images(np.arange(32560), versions, 32560, 40000, 0))
    assert sorted(pick_images(np.arange(5), versions, 5, None, 9)) == list(range(20))


def test_no_pose_is_in_two_parts(written):
    root, _ = written
    parts = {
        part: {
            number % UNIQUE for seed in (0, 1) for number in numbers(
                FreiHANDDataset(root, holdout=0.34, part=part, num_subset=8, subset_seed=seed)
            )
        }
        for part in ('train', 'holdout')
    }
    assert len(parts['holdout']) == 2 and len(parts['train']) == 4
    assert not parts['train'] & parts['holdout']
    whole = FreiHANDDataset(root, holdout=0.34, part='holdout')
    assert len(whole) == 8
    assert whole.metainfo['split'] == 'training (gs hom sample auto, holdout part with holdout 0.34)'
    for wrong in (dict(holdout=0.2), dict(part='train'), dict(holdout=1.0, part='train')):
        with pytest.raises(ConfigError, match="goes with part='train' or 'holdout'"):
            FreiHANDDataset(root, **wrong)
    with pytest.raises(ConfigError, match="part of FreiHAND must be .* got 'test'"):
        FreiHANDDataset(root, holdout=0.2, part='test')
    with pytest.raises(ConfigError, match="not split='evaluation'"):
        FreiHANDDataset(root, 'evaluation', holdout=0.2, part='train')


def test_metainfo(written):
    info = FreiHANDDataset(written[0]).metainfo
    assert (info['dataset_name'], info['wrist_convention']) == ('FreiHAND', 'wrist')
    assert info['embedded'] is False and info['split'] == 'training (gs hom sample auto)'
    with pytest.raises(ConfigError, match="'training' or 'evaluation', got 'test'"):
        FreiHANDDataset(written[0], 'test')


def one_sentence(error, *parts):
    text = str(error.value)
    assert all(part in text for part in parts), text
    assert text.endswith('.') and '\n' not in text and '. ' not in text


def test_missing_files(root, tmp_path):
    for split in ('training', 'evaluation'):
        with pytest.raises(MissingFileError) as error:
            FreiHANDDataset(tmp_path / 'nowhere', split)
        one_sentence(error, str(tmp_path / 'nowhere' / f'{split}_K.json'), 'projects/freihand', 'HAND_DATA')
        one_sentence(error, 'mmdualhand make-mini-benchmark --out data/mini --only freihand')
    (root / 'training_xyz.json').unlink()
    with pytest.raises(MissingFileError) as error:
        FreiHANDDataset(root)
    one_sentence(error, str(root / 'training_xyz.json'))


def test_missing_folders(root):
    shutil.rmtree(root / 'training' / 'mask')
    with pytest.raises(MissingFileError) as error:
        FreiHANDDataset(root, modalities=('rgb', 'mask'))
    one_sentence(error, str(root / 'training' / 'mask'), "leave 'mask' out of modalities")
    shutil.rmtree(root / 'training')
    with pytest.raises(MissingFileError) as error:
        FreiHANDDataset(root)
    one_sentence(error, str(root / 'training' / 'rgb'))


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('training_xyz.json', '', 'cannot be read as JSON'),
        ('training_xyz.json', '[[[0.1, 0.2', 'cannot be read as JSON'),
        ('training_K.json', '[]', 'is empty or no list'),
        ('training_K.json', '{"K": 1}', 'is empty or no list'),
        ('training_K.json', '[[[1, 0], [0, 1]]]', r'row 0 must be K .* shape \(3, 3\), got \(2, 2\)'),
        ('training_xyz.json', '[[1, [2]]]', 'row 0 must be xyz .* got something else'),
    ],
)
def test_broken_lists(root, name, content, message):
    (root / name).write_text(content)
    with pytest.raises(DataError, match=rf'{name}.*{message}') as error:
        FreiHANDDataset(root)
    assert '\n' not in str(error.value)


def test_a_row_of_another_shape_and_another_length(root):
    replace_list(root, 'training_xyz.json', lambda rows: rows[:3] + [rows[3][:20]] + rows[4:])
    with pytest.raises(DataError, match=r'training_xyz\.json: row 3 must be xyz .*\(21, 3\), got \(20, 3\)'):
        FreiHANDDataset(root)
    replace_list(root, 'training_xyz.json', lambda rows: rows[:3])
    with pytest.raises(DataError, match=r'training_xyz\.json has 3 rows, the file of K has 6'):
        FreiHANDDataset(root)


def test_rows_that_are_not_finite(root):
    def poison(rows):
        rows[2][7][1] = float('nan')
        return rows

    replace_list(root, 'training_xyz.json', poison)
    message = r'training_xyz\.json: xyz of row 2 holds NaN .*00000002\.jpg.* \(3 more records are broken\)'
    with pytest.raises(DataError, match=message):
        FreiHANDDataset(root)
    dataset = FreiHANDDataset(root, on_error='skip')
    assert dataset.num_skipped == 4 and {number % UNIQUE for number in numbers(dataset)} == {0, 1, 3, 4, 5}
    replace_list(root, 'training_K.json', lambda rows: [[[0, 0, 112], [0, 0, 112], [0, 0, 1]]] + rows[1:])
    with pytest.raises(DataError, match='K of row 0 is no intrinsic matrix'):
        FreiHANDDataset(root)


def test_a_resized_picture_is_refused(root):
    path = root / 'training' / 'rgb' / '00000000.jpg'
    cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (256, 256)))
    with pytest.raises(DataError, match=r'00000000\.jpg .* is 256 x 256, photos of its set are 224 x 224'):
        FreiHANDDataset(root)


def test_missing_and_truncated_pictures(root):
    folder = root / 'training' / 'rgb'
    for number in (7, 20):
        (folder / f'{number:08d}.jpg').unlink()
    with pytest.raises(DataError) as error:
        FreiHANDDataset(root)
    one_sentence(error, str(folder / '00000007.jpg'), '(1 more records are broken)', "on_error='skip'")
    half = folder / '00000001.jpg'
    half.write_bytes(half.read_bytes()[:-300])
    (root / 'training' / 'mask' / '00000003.jpg').unlink()
    dataset = FreiHANDDataset(root, on_error='skip', modalities=('rgb', 'mask'))
    assert set(range(24)) - set(numbers(dataset)) == {1, 3, 7, 20} and dataset.num_skipped == 4
    with pytest.raises(DataError, match=r"00000001\.jpg of sample '00000001/right' is truncated"):
        FreiHANDDataset(root, versions='gs', num_checked=6)


def test_single_annotation_files(tmp_path):
    root = tmp_path / 'FreiHAND_pub_v2'
    write_evaluation(root, labels='files')
    folder = root / 'evaluation' / 'anno'
    path = folder / '00000001.json'
    text = path.read_text()
    path.write_text(text.replace('"xyz"', '"joints"'))
    with pytest.raises(DataError, match=r"00000001\.json must have 'xyz' .*evaluation_xyz\.json"):
        FreiHANDDataset(root, 'evaluation')
    path.unlink()
    with pytest.raises(MissingFileError, match=r'00000001\.json is missing, though 2 such files are there'):
        FreiHANDDataset(root, 'evaluation')


def test_the_real_cameras(freihand_eval_folder, tmp_path):
    """The published evaluation cameras: 3960, all of them unlabelled records here."""
    (tmp_path / 'evaluation' / 'rgb').mkdir(parents=True)
    for number in range(3960):
        (tmp_path / 'evaluation' / 'rgb' / f'{number:08d}.jpg').touch()
    shutil.copy(freihand_eval_folder / 'evaluation_K.json', tmp_path)
    dataset = FreiHANDDataset(tmp_path, 'evaluation', num_checked=0)
    camera = np.stack([record['camera'] for record in records(dataset)])
    assert camera.shape == (3960, 3, 3) and 'keypoints_3d' not in dataset.labels_only(0)
    assert (camera[:, 0, 2] == 112).all() and (camera[:, 1, 2] == 112).all() and (camera[:, 0, 1] == 0).all()
    focal, aspect = camera[:, 0, 0], camera[:, 1, 1] / camera[:, 0, 0]
    assert np.median(focal) == pytest.approx(492.5, abs=0.05)
    assert (focal.min(), focal.max()) == (pytest.approx(204, abs=0.5), pytest.approx(1130, abs=0.5))
    assert (aspect.min(), aspect.max()) == (pytest.approx(0.9976, abs=5e-5), pytest.approx(1.0019, abs=5e-5))


@pytest.fixture
def full_size(freihand_mmpose_folder, tmp_path):
    """Lists of 32560 rows that put the two real poses where the published ones have them."""
    content = json.loads((freihand_mmpose_folder / 'test_freihand.json').read_text())
    files = {image['id']: image['file_name'] for image in content['images']}
    camera = np.tile([[500.0, 0, 112], [0, 500, 112], [0, 0, 1]], (32560, 1, 1))
    xyz = np.random.default_rng(0).uniform(0.3, 0.6, (32560, 21, 3))
    uv = {}
    for row in content['annotations']:
        number = int(files[row['image_id']].split('/')[-1].removesuffix('.jpg'))
        uv[number] = np.array(row['keypoints']).reshape(21, 3)[:, :2]
        # any depth will do: 2D is all that is known of these photos
        xyz[number % 32560] = Camera(camera[0]).back_project(uv[number], np.linspace(0.5, 0.6, 21))
    root = tmp_path / 'FreiHAND_pub_v2'
    (root / 'training' / 'rgb').mkdir(parents=True)
    for number in uv:
        shutil.copy(freihand_mmpose_folder / f'{number:08d}.jpg', root / 'training' / 'rgb')
    (root / 'training_K.json').write_text(json.dumps(camera.tolist()))
    (root / 'training_xyz.json').write_text(json.dumps(xyz.tolist()))
    (root / 'training_verts.json').mkdir()
    return root, uv


def test_the_real_photos(full_size):
    """Eight real photos of two poses: four versions have one label, 32560 apart."""
    root, uv = full_size
    assert (root / 'training_xyz.json').stat().st_size > 40e6
    dataset = FreiHANDDataset(root, on_error='skip', num_checked=0, pipeline=PIPELINE)
    assert numbers(dataset) == sorted(uv) == [355, 17620, 32915, 50180, 65475, 82740, 98035, 115300]
    assert dataset.num_skipped == 130240 - 8
    for number, record in zip(sorted(uv), records(dataset), strict=True):
        np.testing.assert_allclose(record['keypoints_2d'], uv[number], atol=1e-6)
        assert record['img_path'].endswith(f'{number:08d}.jpg')
    assert dataset[0]['inputs']['img'].shape == (3, 64, 64)
