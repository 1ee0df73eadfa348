from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest
from mmengine.structures import InstanceData
from scipy.io import loadmat, savemat

from mmdualhand.datasets import DEPTH_DECODERS, STBDataset
from mmdualhand.datasets.stb import read_hand_para
from mmdualhand.datasets.transforms import LoadHandModalities
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.evaluation import EPE
from mmdualhand.structures import HandDataSample, chirality_vote
from tests.fixtures import stb_writer
from tests.fixtures.stb_writer import save_labels, write_blank_frames, write_stb

ALL_SEQUENCES = [f'B{i}{kind}' for i in range(1, 7) for kind in ('Counting', 'Random')]
ONE = dict(split='test', sequences=['B1Counting'])


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    """B1Counting and B2Random with all streams, and the joints that were drawn; not to be changed."""
    root = tmp_path_factory.mktemp('stb') / 'STB'
    return root, write_stb(root)


@pytest.fixture
def root(written, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(written[0], tmp_path / 'STB')


def random_labels(frames, seed=0):
    """(3, 21, frames) labels about 650 mm away."""
    offset = np.array([0, 0, 650])[:, None, None]
    return np.random.default_rng(seed).uniform(-30, 30, (3, 21, frames)) + offset


@pytest.fixture
def empty_pictures(tmp_path):
    """All 12 sequences of different length with random labels and empty picture files."""
    root = tmp_path / 'STB'
    for number, name in enumerate(ALL_SEQUENCES):
        save_labels(root / 'labels' / f'{name}_SK.mat', random_labels(12 + number, number))
        write_blank_frames(root, name, 12 + number, 'SK_color_{}.png')
    return root


def records(dataset):
    return [dataset.labels_only(index) for index in range(len(dataset))]


def mean_error(dataset, truth):
    found = np.stack([record['keypoints_3d'] for record in records(dataset)])
    return np.linalg.norm(found - truth, axis=-1).max()


@pytest.mark.parametrize('stream', ['SK', 'BB_left', 'BB_right'])
def test_every_stream_gives_the_drawn_joints(written, stream):
    root, truth = written
    kind = stream[:2]
    expected = truth[f'B1Counting_{kind}'] - (stb_writer.BASELINE if stream == 'BB_right' else 0)
    dataset = STBDataset(root, **ONE, stream=stream)
    assert mean_error(dataset, expected) < 1e-9
    camera = stb_writer.COLOR if kind == 'SK' else stb_writer.BUMBLEBEE
    for frame, record in enumerate(records(dataset)):
        picture = {'SK': 'SK_color', 'BB_left': 'BB_left', 'BB_right': 'BB_right'}[stream]
        assert record['img_path'] == str(root / 'images' / 'B1Counting' / f'{picture}_{frame}.png')
        assert record['sample_id'] == f'B1Counting/{stream}_{frame}'
        assert record['hand_side'] == 'left' and record['camera'].tolist() == camera.tolist()
        x, y, z = record['keypoints_3d'][7]
        by_hand = (camera[0, 0] * x / z + camera[0, 2], camera[1, 1] * y / z + camera[1, 2])
        np.testing.assert_allclose(record['keypoints_2d'][7], by_hand, atol=1e-9)
        assert record['keypoints_visible'].tolist() == [1] * 21
    joints = np.stack([record['keypoints_3d'] for record in records(dataset)])
    assert chirality_vote(joints) == 'left'


def test_raw_order_by_hand(tmp_path):
    """Raw 0 palm, 1-4 pinky, 5-8 ring, 9-12 middle, 13-16 index, 17-20 thumb, each from base to tip."""
    raw = np.zeros((3, 21, 1))
    raw[0, :, 0], raw[2] = np.arange(21), 600.0
    save_labels(tmp_path / 'labels' / 'B1Counting_BB.mat', raw)
    write_blank_frames(tmp_path, 'B1Counting', 1, 'BB_left_{}.png')
    dataset = STBDataset(tmp_path, **ONE, stream='BB_left', wrist='palm', num_checked=0)
    found = dataset.load_record(0)['keypoints_3d'][:, 0].tolist()
    thumb, index, middle, ring, pinky = [range(i, i + 4) for i in (17, 13, 9, 5, 1)]
    assert found == [0, *thumb, *index, *middle, *ring, *pinky]


def test_both_cameras_see_the_same_hand(written):
    """Rows agree and the disparity is f b / z."""
    left, right = (records(STBDataset(written[0], **ONE, stream=f'BB_{side}')) for side in ('left', 'right'))
    for one, other in zip(left, right, strict=True):
        disparity = one['keypoints_2d'] - other['keypoints_2d']
        np.testing.assert_allclose(disparity[:, 1], 0, atol=1e-9)
        np.testing.assert_allclose(disparity[:, 0], 822.79041 * 120.054 / one['keypoints_3d'][:, 2])


@pytest.mark.parametrize(
    ('wrist', 'ring', 'middle', 'palm', 'text'),
    [
        ('2p-r', -1, 0, 2, 'wrist = 2 palm - ring MCP'),
        ('2p-m', 0, -1, 2, 'wrist = 2 palm - middle MCP'),
        ('palm', 0, 0, 1, 'palm'),
        ([9, 2.2], 0, -1.2, 2.2, 'wrist = middle MCP + 2.2 (palm - middle MCP)'),
        ((13, 2.3), -1.3, 0, 2.3, 'wrist = ring MCP + 2.3 (palm - ring MCP)'),
    ],
)
def test_palm_to_wrist(written, wrist, ring, middle, palm, text):
    path = written[0] / 'labels' / 'B1Counting_BB.mat'
    raw = loadmat(str(path))['handPara'][:, :, 1].T  # raw 0 palm, 5 ring MCP, 9 middle MCP
    dataset = STBDataset(written[0], **ONE, stream='BB_left', wrist=wrist)
    joints = dataset.labels_only(1)['keypoints_3d']
    np.testing.assert_allclose(joints[0], ring * raw[5] + middle * raw[9] + palm * raw[0], atol=1e-9)
    np.testing.assert_allclose(joints[[13, 9]], raw[[5, 9]])
    assert dataset.metainfo['wrist_convention'] == text
    # in the other frames it is the same point
    if wrist == '2p-m':
        label = loadmat(str(written[0] / 'labels' / 'B1Counting_SK.mat'))['handPara'][:, :, 1].T
        expected = stb_writer.ROTATION.T @ (2 * label[0] - label[9] - stb_writer.TRANSLATION)
        found = STBDataset(written[0], **ONE, wrist=wrist).labels_only(1)['keypoints_3d'][0]
        np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(
    'wrist', ['2p', [21, 2.0], [0, 2.0], [9], [9.5, 2.0], [9, -1.0], [9, float('nan')], None]
)
def test_unknown_wrist_rules(wrist):
    with pytest.raises(ConfigError, match="wrist must be '2p-r', '2p-m', 'palm' or"):
        STBDataset('nowhere', wrist=wrist)


def test_convention_is_printed_with_results(written):
    dataset = STBDataset(written[0], **ONE, stream='BB_left')
    metric = EPE()
    metric.dataset_meta = dataset.metainfo
    joints = dataset.labels_only(0)['keypoints_3d'][None]
    sample = HandDataSample(metainfo=dict(sample_id='a', crop_rule='c'))
    sample.gt_instances = sample.pred_instances = InstanceData(keypoints_3d=joints)
    metric.process(None, [sample.to_dict()])
    metric.evaluate(1)
    assert 'wrist convention wrist = 2 palm - ring MCP' in metric.protocol_line
    assert 'STB, split test (BB_left, only B1Counting)' in metric.protocol_line


def test_the_other_layout(written, tmp_path):
    root = tmp_path / 'STB'
    truth = write_stb(root, ['B1Counting'], folder='')
    assert (root / 'B1Counting' / 'BB_left_0.png').is_file()
    dataset = STBDataset(root, **ONE, pipeline=[LoadHandModalities(('rgb',))])
    assert dataset[0]['img'].shape == (480, 640, 3)
    assert mean_error(dataset, truth['B1Counting_SK']) < 1e-9


def test_splits_and_order(empty_pictures):
    """B1 is the test; Counting before Random; frames in order of number, not of name."""
    test = STBDataset(empty_pictures, 'test', num_checked=0)
    names = [record['sample_id'] for record in records(test)]
    assert names == [f'B1Counting/SK_{i}' for i in range(12)] + [f'B1Random/SK_{i}' for i in range(13)]
    train = STBDataset(empty_pictures, 'train', num_checked=0)
    assert len(train) == sum(range(14, 24)) and len(STBDataset(empty_pictures, 'all', num_checked=0)) == 210
    names = [record['sample_id'].split('/')[0] for record in records(train)]
    assert list(dict.fromkeys(names)) == ALL_SEQUENCES[2:]
    some = STBDataset(empty_pictures, 'train', num_checked=0, sequences=['B4Random', 'B2Counting'])
    assert len(some) == 14 + 19 and some.labels_only(0)['sample_id'] == 'B2Counting/SK_0'
    with pytest.raises(ConfigError, match=r"sequences of split 'train' of STB .* got \['B1Counting'\]"):
        STBDataset(empty_pictures, 'train', sequences=['B1Counting'])
    with pytest.raises(ConfigError, match="'train', 'test' or 'all', got 'evaluation'"):
        STBDataset(empty_pictures, 'evaluation')
    with pytest.raises(ConfigError, match="SK, BB_left, BB_right, got 'BB'"):
        STBDataset(empty_pictures, 'train', stream='BB')


def test_subset_is_named_by_its_seed(empty_pictures):
    options = dict(split='test', num_checked=0, num_subset=6)
    dataset = STBDataset(empty_pictures, **options)
    names = [record['sample_id'] for record in records(dataset)]
    # RandomState(0).permutation(25)[:6] is 5 2 19 16 11 22
    assert names == [f'B1Counting/SK_{i}' for i in (2, 5, 11)] + [f'B1Random/SK_{i}' for i in (4, 7, 10)]
    assert dataset.metainfo['split'] == 'test (SK, at most 6 frames by seed 0)'
    other = STBDataset(empty_pictures, **options, subset_seed=1)
    assert [record['sample_id'] for record in records(other)] != names
    assert len(STBDataset(empty_pictures, **{**options, 'num_subset': 15000})) == 25
    # only the frames of the subset need a picture
    (empty_pictures / 'images' / 'B1Random' / 'SK_color_0.png').unlink()
    assert len(STBDataset(empty_pictures, **options)) == 6
    with pytest.raises(ConfigError, match='num_subset must be an integer from 1, got 0'):
        STBDataset(empty_pictures, num_subset=0)
    with pytest.raises(ConfigError, match='subset_seed'):
        STBDataset(empty_pictures, num_subset=5, subset_seed=-1)


def test_depth_decoder():
    picture = np.zeros((1, 3, 3), np.uint8)
    picture[0, 0], picture[0, 1] = (0xA3, 0x02, 99), (255, 255, 0)  # 163 + 512; B does not count
    decoded = DEPTH_DECODERS['stb'](picture)
    assert decoded.tolist() == [[675, 65535, 0]] and decoded.dtype == np.float32
    with pytest.raises(ValueError, match='STB depth picture'):
        DEPTH_DECODERS['stb'](picture.astype(np.uint16))


def test_depth_arrives_in_the_colour_camera(written):
    """Against the depth that a ray caster finds in the colour camera; without registration it is off."""
    root, _ = written
    both = ('rgb', 'depth')
    dataset = STBDataset(root, **ONE, modalities=both, pipeline=[LoadHandModalities(both)])
    rng = np.random.default_rng([0, 0])
    hands = [stb_writer.random_hand(rng, 'left', np.array([10.0, -20.0, 550.0])) for _ in range(2)]
    sample = dataset[0]
    truth = stb_writer.draw(hands[0], stb_writer.COLOR, rng)[1]
    hand = truth < stb_writer.WALL_MM
    assert np.array_equal(sample['keypoints_3d'], dataset.labels_only(0)['keypoints_3d'])
    depth = sample['depth']
    assert depth.shape == (480, 640) and depth.dtype == np.float32
    error = np.abs(depth - truth)[hand]
    assert np.median(error) < 1.0 and np.mean(error < 4) > 0.93
    raw = DEPTH_DECODERS['stb'](cv2.imread(sample['depth_path'])[..., ::-1])
    assert np.mean(np.abs(raw - truth)[hand] < 4) < 0.3
    # the wall behind, as the colour camera sees it: only the shadow of the hand is not measured
    wall = depth[~hand]
    assert np.mean(np.abs(wall - stb_writer.WALL_MM) < 15) > 0.9 and np.mean(wall == 0) < 0.05


def test_depth_only_of_the_realsense(written):
    assert 'depth_path' not in STBDataset(written[0], **ONE).labels_only(0)
    with pytest.raises(ConfigError, match="depth for stream='SK' only, not for 'BB_left'"):
        STBDataset(written[0], stream='BB_left', modalities=('rgb', 'depth'))
    with pytest.raises(ConfigError, match="modalities of STB .* got .'mask',"):
        STBDataset(written[0], modalities=('mask',))


def one_sentence(error, *parts):
    text = str(error.value)
    assert all(part in text for part in parts), text
    assert text.endswith('.') and '\n' not in text and '. ' not in text
    return True


def test_missing_root_and_labels(root, tmp_path):
    with pytest.raises(MissingFileError) as error:
        STBDataset(tmp_path / 'nowhere')
    one_sentence(error, str(tmp_path / 'nowhere' / 'labels' / 'B2Counting_SK.mat'), 'zhjwustc')
    one_sentence(error, 'mmdualhand make-mini-benchmark --out data/mini --only stb', 'HAND_DATA=data/mini')
    with pytest.raises(MissingFileError, match=r'make-mini-benchmark --out .*mini --only stb'):
        STBDataset(tmp_path / 'mini' / 'STB')
    with pytest.raises(MissingFileError) as error:
        STBDataset(root, 'test')
    one_sentence(error, 'B1Random_SK.mat', "sequences=['B1Counting']")
    (root / 'labels' / 'B1Counting_BB.mat').unlink()
    with pytest.raises(MissingFileError) as error:
        STBDataset(root, **ONE, stream='BB_left')
    one_sentence(error, 'B1Counting_BB.mat', 'another split or stream')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'handPara': np.zeros((21, 3, 5))}, r'must be numbers of shape \(3, 21, frames\), got \(21, 3, 5\)'),
        ({'handPara': np.zeros((3, 20, 5))}, r'got \(3, 20, 5\)'),
        ({'handPara': np.array(['a'])}, 'must be numbers'),
        ({'handPara': np.zeros((3, 21, 0))}, 'handPara is empty'),
        ({'hand': np.zeros((3, 21, 5))}, "has no variable 'handPara'"),
    ],
)
def test_wrong_label_files(root, content, message):
    path = root / 'labels' / 'B1Counting_SK.mat'
    savemat(str(path), content)
    with pytest.raises(DataError, match=rf'B1Counting_SK\.mat.*{message}') as error:
        STBDataset(root, **ONE)
    assert '\n' not in str(error.value)


def test_truncated_label_file(root):
    path = root / 'labels' / 'B1Counting_SK.mat'
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(DataError, match=r'B1Counting_SK\.mat cannot be read as a MATLAB file'):
        STBDataset(root, **ONE)
    path.write_bytes(b'')
    with pytest.raises(DataError, match=r'B1Counting_SK\.mat cannot be read as a MATLAB file'):
        STBDataset(root, **ONE)


def test_single_frame_as_matlab_stores_it(tmp_path):
    raw = random_labels(1)
    path = save_labels(tmp_path / 'labels' / 'B1Counting_SK.mat', raw[..., 0])
    assert read_hand_para(path).shape == (1, 21, 3)
    np.testing.assert_array_equal(read_hand_para(path)[0], raw[..., 0].T)


def test_label_that_is_not_finite(root):
    path = root / 'labels' / 'B1Counting_SK.mat'
    raw = loadmat(str(path))['handPara']
    raw[1, 4, 1] = np.nan
    savemat(str(path), {'handPara': raw})
    with pytest.raises(DataError, match=r"B1Counting_SK\.mat: handPara of frame 1 .*on_error='skip'"):
        STBDataset(root, **ONE)
    dataset = STBDataset(root, **ONE, on_error='skip')
    assert [record['sample_id'] for record in records(dataset)] == ['B1Counting/SK_0']


def test_missing_and_truncated_pictures(empty_pictures):
    folder = empty_pictures / 'images' / 'B1Counting'
    for frame in (3, 4, 11):
        (folder / f'SK_color_{frame}.png').unlink()
    with pytest.raises(DataError) as error:
        STBDataset(empty_pictures, 'test', num_checked=0)
    one_sentence(error, str(folder / 'SK_color_3.png'), '(2 more records are broken)', "on_error='skip'")
    png = cv2.imencode('.png', np.zeros((480, 640, 3), np.uint8))[1].tobytes()
    for path in folder.iterdir():
        path.write_bytes(png)
    (folder / 'SK_color_10.png').write_bytes(png[:-30])
    dataset = STBDataset(empty_pictures, 'test', sequences='B1Counting', num_checked=0, on_error='skip')
    kept = [record['sample_id'] for record in records(dataset)]
    assert kept == [f'B1Counting/SK_{i}' for i in (0, 1, 2, 5, 6, 7, 8, 9)] and dataset.num_skipped == 4
    # labels stay with their frames: raw 9 of frame 5 is the middle MCP of the fourth that is left
    depth_frame = random_labels(12, 0)[:, 9, 5]
    expected = stb_writer.ROTATION.T @ (depth_frame - stb_writer.TRANSLATION)
    np.testing.assert_allclose(dataset.labels_only(3)['keypoints_3d'][9], expected, atol=1e-9)


def test_truncated_picture_is_named_at_construction(root):
    path = root / 'images' / 'B1Counting' / 'SK_color_1.png'
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"SK_color_1\.png of sample 'B1Counting/SK_1' is truncated"):
        STBDataset(root, **ONE)


def test_a_resized_picture_is_refused(root):
    """K is a constant of the set: a copy at half the size would be read with joints far outside."""
    path = root / 'images' / 'B1Counting' / 'SK_color_1.png'
    cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (320, 240)))
    with pytest.raises(DataError) as error:
        STBDataset(root, **ONE)
    one_sentence(error, str(path), '320 x 240', '640 x 480', 'copy the published file')
    unseen = STBDataset(root, **ONE, num_checked=1, pipeline=[LoadHandModalities(modalities=('rgb',))])
    with pytest.raises(DataError, match=r'SK_color_1\.png .* is 320 x 240'):
        unseen[1]


def test_missing_folder_names_both_layouts(root):
    shutil.rmtree(root / 'images' / 'B1Counting')
    with pytest.raises(MissingFileError) as error:
        STBDataset(root, **ONE)
    one_sentence(error, str(root / 'images' / 'B1Counting'), str(root / 'B1Counting'), 'B1Counting.zip')
