from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmdualhand.datasets import DEPTH_DECODERS, register_depth_decoder
from mmdualhand.datasets.image_io import file_is_complete, read_picture
from mmdualhand.datasets.transforms import LoadHandModalities
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from tests.fixtures.rhd_writer import encode_depth


def save(path, picture):
    assert cv2.imwrite(str(path), picture)
    return str(path)


@pytest.fixture
def record(tmp_path):
    color = np.zeros((4, 6, 3), np.uint8)
    color[1, 2] = (30, 20, 10)  # OpenCV writes BGR
    depth = np.zeros((4, 6, 3), np.uint8)
    depth[0, 0] = (9, 0, 1)  # B is ignored, G = 0, R = 1
    depth[0, 1] = (0, 255, 255)
    depth[0, 2] = (0, 200, 0)
    labels = np.array([[0, 1, 2, 17, 18, 33]] * 4, np.uint8)
    return {
        'sample_id': '00007/left',
        'img_path': save(tmp_path / 'color.png', color),
        'depth_path': save(tmp_path / 'depth.png', depth),
        'depth_encoding': 'rhd',
        'mask_path': save(tmp_path / 'mask.png', labels),
        'mask_values': (2, 17),
    }


def test_known_pixels(record):
    results = LoadHandModalities()(dict(record))
    assert results['img'][1, 2].tolist() == [10, 20, 30]
    # (1 * 256 + 0) / 65535 * 5000 mm, 65535 / 65535 * 5000 mm, 200 / 65535 * 5000 mm
    np.testing.assert_allclose(results['depth'][0, :4], [19.53155, 5000.0, 15.25902, 0.0], rtol=1e-5)
    assert results['depth'].dtype == np.float32
    assert results['mask'][0].tolist() == [0, 0, 1, 1, 0, 0]
    right = LoadHandModalities(('rgb', 'mask'))({**record, 'mask_values': (18, 33)})
    assert right['mask'][0].tolist() == [0, 0, 0, 0, 1, 1]
    assert 'depth' not in right


def test_rhd_depth_inverts_the_writer():
    depth = np.array([[0.0, 1.0, 400.25, 731.9, 4999.9, 9000.0]])
    decoded = DEPTH_DECODERS['rhd'](encode_depth(depth))
    np.testing.assert_allclose(decoded, np.minimum(depth, 5000), atol=5000 / 65535 / 2 + 1e-3)


def test_millimetre_depth(record, tmp_path):
    path = save(tmp_path / 'mm.png', np.full((4, 6), 731, np.uint16))
    results = LoadHandModalities()({**record, 'depth_path': path, 'depth_encoding': 'millimetre'})
    assert results['depth'].dtype == np.float32 and (results['depth'] == 731).all()


def test_decoders_refuse_other_pictures(record):
    record['depth_encoding'] = 'millimetre'
    with pytest.raises(DataError, match=r'depth\.png.*00007/left.*uint16'):
        LoadHandModalities()(record)
    with pytest.raises(ValueError, match='rhd'):
        register_depth_decoder('rhd')(lambda picture: picture)


def test_unknown_encoding_lists_the_known(record):
    record['depth_encoding'] = 'rdh'
    with pytest.raises(DataError, match=r"'rdh' is not known \(known: millimetre, .*rhd"):
        LoadHandModalities()(record)


def test_record_without_depth_says_what_to_change(record):
    del record['depth_path']
    with pytest.raises(DataError, match="take 'depth' out of modalities"):
        LoadHandModalities()(record)


def test_sizes_must_agree(record, tmp_path):
    record['mask_path'] = save(tmp_path / 'small.png', np.zeros((3, 6), np.uint8))
    with pytest.raises(DataError, match=r'small\.png.*\(3, 6\).*\(4, 6\)'):
        LoadHandModalities()(record)


@pytest.mark.parametrize('modalities', [('rgb', 'dept'), ('depth',)])
def test_unknown_modalities(modalities):
    with pytest.raises(ConfigError, match='modalities'):
        LoadHandModalities(modalities)


@pytest.mark.parametrize('suffix', ['png', 'jpg'])
@pytest.mark.parametrize('share', [0.0, 0.5, 0.98])
def test_truncated_pictures_name_file_and_sample(tmp_path, rng, suffix, share):
    path = tmp_path / f'photo.{suffix}'
    save(path, rng.integers(0, 255, (64, 64, 3), np.uint8))
    assert file_is_complete(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert not file_is_complete(path)
    with pytest.raises(DataError, match=rf'photo\.{suffix} of sample .00012/left. is truncated'):
        read_picture(path, '00012/left')


def test_undecodable_and_missing_pictures(tmp_path):
    (tmp_path / 'text.png').write_text('no picture')
    with pytest.raises(DataError, match='cannot be decoded'):
        read_picture(tmp_path / 'text.png', 's')
    with pytest.raises(MissingFileError, match=r'gone\.png of sample'):
        read_picture(tmp_path / 'gone.png', 's')


@pytest.mark.parametrize('suffix', ['png', 'jpg'])
@pytest.mark.parametrize('trailing', [100, 100_000])
def test_trailing_bytes_after_the_end_marker_are_fine(tmp_path, rng, suffix, trailing):
    """A motion photo has its film behind the picture."""
    path = tmp_path / f'photo.{suffix}'
    save(path, np.full((8, 8, 3), 90, np.uint8))
    path.write_bytes(path.read_bytes() + bytes(rng.integers(0, 255, trailing, np.uint8)))
    assert file_is_complete(path)
    assert read_picture(path, 's', color=True).shape == (8, 8, 3)


def jpeg_with_segment(path, rng, segment):
    """A JPEG of some 4 kB with a segment of metadata behind its first marker; where the pixels begin."""
    save(path, rng.integers(0, 255, (64, 64, 3), np.uint8))
    data = path.read_bytes()
    path.write_bytes(data[:2] + segment + data[2:])
    return path.read_bytes().index(b'\xff\xda', 2 + len(segment))


@pytest.mark.parametrize('share', [0.05, 0.5, 0.99])
def test_end_marker_of_a_thumbnail_is_not_that_of_the_picture(tmp_path, rng, share):
    path = tmp_path / 'photo.jpg'
    thumbnail = b'Exif\0\0' + b'\xff\xd8\xff\xda\0\x02\x12\x34\xff\xd9'
    length = (2 + len(thumbnail)).to_bytes(2, 'big')
    scan = jpeg_with_segment(path, rng, b'\xff\xff\xe1' + length + thumbnail)  # with a fill byte
    assert file_is_complete(path) and read_picture(path, 's').shape == (64, 64, 3)
    data = path.read_bytes()
    cuts = [int(scan * share), scan + int((len(data) - scan) * share)]
    for cut in cuts:  # within the metadata, within the pixels
        path.write_bytes(data[:cut])
        assert not file_is_complete(path), cut
        with pytest.raises(DataError, match='is truncated'):
            read_picture(path, 's')


def test_progressive_jpeg(tmp_path, rng):
    path = tmp_path / 'photo.jpg'
    picture = rng.integers(0, 255, (64, 64, 3), np.uint8)
    flags = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 2]
    assert cv2.imwrite(str(path), picture, flags)
    assert file_is_complete(path)
    path.write_bytes(path.read_bytes()[:-2])
    assert not file_is_complete(path)
