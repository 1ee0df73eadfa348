"""Pictures from files, folders, patterns, lists, arrays and videos; odd and broken ones."""

from __future__ import annotations

import struct
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdualhand.apis.pictures import open_pictures
from mmdualhand.apis.prefetch import prefetch
from mmdualhand.apis.read_image import MIN_SIDE, read_image, to_rgb, too_small
from mmdualhand.apis.video_writer import VideoWriter
from mmdualhand.errors import ConfigError, DataError, MissingFileError

RED = (200, 40, 20)


def rgb(width: int = 40, height: int = 24) -> np.ndarray:
    """Left half red, right half dark, a white pixel in the upper left corner."""
    image = np.full((height, width, 3), 10, np.uint8)
    image[:, : width // 2] = RED
    image[0, 0] = 255
    return image


def write(path: Path, image: np.ndarray) -> Path:
    """Arrays in RGB(A) order to a file of any kind."""
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    assert cv2.imwrite(str(path), image)
    return path


def exif_rotated(path: Path, image: np.ndarray, orientation: int) -> Path:
    """A JPEG whose EXIF says how to turn it."""
    ok, data = cv2.imencode('.jpg', cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 100])
    assert ok
    tiff = b'II*\0' + struct.pack('<IHHHIHHI', 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    segment = b'Exif\0\0' + tiff
    raw = data.tobytes()
    path.write_bytes(raw[:2] + b'\xff\xe1' + struct.pack('>H', len(segment) + 2) + segment + raw[2:])
    return path


def test_a_colour_file_is_read_in_rgb_order(tmp_path):
    np.testing.assert_array_equal(read_image(write(tmp_path / 'a.png', rgb())), rgb())


def test_gray_becomes_three_equal_channels(tmp_path):
    gray = np.arange(24 * 40, dtype=np.uint8).reshape(24, 40)
    read = read_image(write(tmp_path / 'g.png', gray))
    assert read.shape == (24, 40, 3)
    for channel in range(3):
        np.testing.assert_array_equal(read[..., channel], gray)
    np.testing.assert_array_equal(to_rgb(gray[..., None]), read)


def test_transparent_parts_become_black(tmp_path):
    image = np.dstack([rgb(), np.full((24, 40), 255, np.uint8)])
    image[:, :5, 3], image[:, 5:10, 3] = 0, 128
    read = read_image(write(tmp_path / 't.png', image))
    assert (read[1:, :5] == 0).all()
    assert read[3, 7].tolist() == [100, 20, 10]  # 128 / 255 of 200, 40, 20
    np.testing.assert_array_equal(read[:, 10:], rgb()[:, 10:])


@pytest.mark.parametrize('channels', [1, 3])
def test_16_bit_is_scaled_to_8(tmp_path, channels):
    values = np.array([0, 257, 128 * 257, 65535], np.uint16)
    image = np.repeat(np.tile(values, (16, 4))[..., None], channels, axis=2)
    read = read_image(write(tmp_path / 'd.png', image[..., 0] if channels == 1 else image))
    assert read.dtype == np.uint8 and read[0, :4, 0].tolist() == [0, 1, 128, 255]


def test_floats_are_0_to_1():
    image = np.zeros((20, 20, 3), np.float32)
    image[0, 0] = (0.5, 1.0, 7.0)
    assert to_rgb(image)[0, 0].tolist() == [128, 255, 255]
    image[0, 0, 0] = np.nan
    with pytest.raises(DataError, match='not finite'):
        to_rgb(image)


@pytest.mark.parametrize(('orientation', 'turns'), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_exif_orientation_is_applied(tmp_path, orientation, turns):
    stored = rgb(48, 32)
    read = read_image(exif_rotated(tmp_path / 'e.jpg', stored, orientation))
    expected = np.rot90(stored, turns)
    assert read.shape == expected.shape
    inner = np.abs(read.astype(int) - expected.astype(int))[4:-4, 4:-4]
    assert np.median(inner) <= 6  # JPEG, also across the edge


@pytest.mark.parametrize(
    ('content', 'message'),
    [(b'', 'truncated'), (b'no picture at all', 'not a picture'), (None, 'truncated')],
)
def test_broken_files_say_which_and_why(tmp_path, content, message):
    path = tmp_path / 'broken.jpg'
    if content is None:
        whole = exif_rotated(tmp_path / 'whole.jpg', rgb(), 1).read_bytes()
        content = whole[: len(whole) // 2]
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf'broken\.jpg.*{message}'):
        read_image(path)


def test_a_header_that_promises_too_much_is_an_error_of_the_file(tmp_path):
    data = bytearray(write(tmp_path / 'h.png', rgb()).read_bytes())
    data[16:24] = struct.pack('>II', 200_000, 200_000)  # larger than OpenCV allows
    (tmp_path / 'h.png').write_bytes(bytes(data))
    with pytest.raises(DataError, match=r'h\.png'):
        read_image(tmp_path / 'h.png')


def test_a_missing_file_and_a_folder_in_its_place(tmp_path):
    with pytest.raises(MissingFileError, match=r'gone\.png is not there'):
        read_image(tmp_path / 'gone.png')
    with pytest.raises(DataError, match='cannot be read'):
        read_image(tmp_path)
    for absent in (tmp_path / 'gone', f'{tmp_path}/*.png'):
        with pytest.raises(MissingFileError):
            open_pictures(absent)
    with pytest.raises(MissingFileError, match='holds no pictures'):
        open_pictures(tmp_path)


@pytest.mark.parametrize('bad', [np.zeros((4, 4, 2), np.uint8), np.zeros(5), np.zeros((0, 4, 3), np.uint8),
                                 np.zeros((4, 4, 3), np.int64), [[1, 2]]])  # fmt: skip
def test_arrays_of_no_kind_of_picture(bad):
    with pytest.raises(DataError):
        to_rgb(bad)


def test_a_folder_in_natural_order_with_a_note_for_the_broken_one(tmp_path):
    for name in ('p10.png', 'p2.png', 'p1.png'):
        write(tmp_path / name, rgb())
    (tmp_path / 'p3.png').write_bytes(b'\x89PNG half')
    (tmp_path / 'notes.md').write_text('no picture')
    source = open_pictures(tmp_path)
    pictures = list(source.pictures)
    assert [Path(p.path).name for p in pictures] == ['p1.png', 'p2.png', 'p3.png', 'p10.png']
    assert source.length == 4 and not source.live
    broken = pictures[2]
    assert broken.image is None and 'p3.png' in broken.note and 'truncated' in broken.note
    assert all(p.image is not None and not p.note for i, p in enumerate(pictures) if i != 2)


def test_pattern_text_list_and_mixed_list(tmp_path):
    for name in ('a1.png', 'a2.png', 'b1.png'):
        write(tmp_path / name, rgb())
    assert [Path(p.path).name for p in open_pictures(f'{tmp_path}/a*.png').pictures] == ['a1.png', 'a2.png']
    (tmp_path / 'some.txt').write_text('# chosen\nb1.png\n\na1.png\n')
    assert [Path(p.path).name for p in open_pictures(tmp_path / 'some.txt').pictures] == ['b1.png', 'a1.png']
    mixed = list(open_pictures([tmp_path / 'a1.png', rgb(), 'nowhere.png', 7]).pictures)
    assert [p.image is not None for p in mixed] == [True, True, False, False]
    assert (mixed[1].path, mixed[1].frame) == (None, 1) and 'nowhere.png' in mixed[2].note


def test_arrays_one_and_many():
    (one,) = open_pictures(rgb()).pictures
    assert one.frame is None and one.image.shape == (24, 40, 3)
    stack = np.stack([rgb(), 255 - rgb()])
    many = list(open_pictures(stack).pictures)
    assert [p.frame for p in many] == [0, 1] and (many[1].image == stack[1]).all()
    for wrong in (3.5, None, True):
        with pytest.raises(DataError):
            open_pictures(wrong)
    for encoded in (b'\x89PNG', bytearray(4), memoryview(b'abc')):
        with pytest.raises(DataError, match='not the bytes of a file'):
            open_pictures(encoded)


def test_a_video_there_and_back(tmp_path):
    frames = [np.full((48, 64, 3), value, np.uint8) for value in (30, 120, 210)]
    with VideoWriter(tmp_path / 'v.avi', fps=12.5) as writer:
        for frame in frames:
            writer.write(frame)
        writer.write(np.full((96, 64, 3), 90, np.uint8))  # fitted into 64 x 48
    source = open_pictures(tmp_path / 'v.avi')
    read = list(source.pictures)
    assert source.fps == pytest.approx(12.5) and not source.live
    assert [p.frame for p in read] == [0, 1, 2, 3] and read[0].path.endswith('v.avi')
    assert [int(round(p.image.mean())) for p in read[:3]] == pytest.approx([30, 120, 210], abs=3)
    assert read[3].image.shape == (48, 64, 3) and read[3].image[:, 40:].mean() < 10


def test_a_video_that_breaks_off_ends_with_a_note(tmp_path):
    rng = np.random.default_rng(0)
    with VideoWriter(tmp_path / 'v.avi', fps=12.5) as writer:
        for _ in range(20):
            writer.write(rng.integers(0, 255, (48, 64, 3), np.uint8))
    assert not any(p.note for p in open_pictures(tmp_path / 'v.avi').pictures)
    whole = (tmp_path / 'v.avi').read_bytes()
    (tmp_path / 'v.avi').write_bytes(whole[: len(whole) // 2])
    *frames, last = open_pictures(tmp_path / 'v.avi').pictures
    assert 5 < len(frames) < 15 and all(p.image is not None and not p.note for p in frames)
    assert last.image is None and last.frame == len(frames)
    assert f'v.avi ends after {len(frames)} of 20 frames' in last.note


def test_videos_that_are_none(tmp_path):
    (tmp_path / 'v.mp4').write_bytes(b'nothing')
    with pytest.raises(DataError, match=r'v\.mp4 cannot be opened'):
        open_pictures(tmp_path / 'v.mp4')
    with pytest.raises(ConfigError, match=r'\.avi'):
        VideoWriter(tmp_path / 'v.gif')
    with pytest.raises(ConfigError, match='fps'):
        VideoWriter(tmp_path / 'v.avi', fps=0)


def test_too_small():
    assert too_small(np.zeros((MIN_SIDE, MIN_SIDE, 3), np.uint8)) == ''
    assert '15 x 16' in too_small(np.zeros((16, 15, 3), np.uint8))


def test_prefetch_keeps_order_reads_ahead_and_ends_early():
    made, before = [], threading.active_count()

    def numbers():
        for number in range(100):
            made.append(number)
            yield number

    ahead = prefetch(numbers(), 3)
    assert [next(ahead), next(ahead)] == [0, 1]
    ahead.close()
    assert len(made) <= 2 + 3 + 1 and threading.active_count() == before
    assert list(prefetch(iter('abc'), 2)) == list('abc') == list(prefetch(iter('abc'), 0))


def test_prefetch_hands_errors_over_in_their_place():
    def failing():
        yield 1
        raise DataError('second')

    ahead = prefetch(failing(), 4)
    assert next(ahead) == 1
    with pytest.raises(DataError, match='second'):
        next(ahead)
