"""Odd pictures through the whole inferencer: a joint where the dot is, or a note that says why not."""

from __future__ import annotations

import struct
import threading
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmdualhand.apis.inferencer import HandPoseInferencer
from mmdualhand.errors import ConfigError, DataError
from tests.fixtures.dot_runner import DotRunner, dot_picture

DOT = (70.0, 33.0)
BOX = (50.0, 13.0, 90.0, 53.0)
PICTURE = dot_picture(*DOT)  # 160 x 120


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack('>I', len(content)) + name + content + struct.pack('>I', zlib.crc32(name + content))


def png(rows: np.ndarray, kind: int, extra: bytes = b'', bits: int = 8, width: int = 160) -> bytes:
    """A PNG of colour type ``kind`` (0 gray, 2 RGB, 3 palette, 4 gray with alpha)."""
    header = struct.pack('>IIBBBBB', width, len(rows), bits, kind, 0, 0, 0)
    pixels = zlib.compress(b''.join(b'\0' + row.tobytes() for row in rows))
    start = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header)
    return start + extra + chunk(b'IDAT', pixels) + chunk(b'IEND', b'')


def encoded(suffix: str, image: np.ndarray = PICTURE) -> bytes:
    ok, data = cv2.imencode(suffix, image)
    assert ok
    return data.tobytes()


GRAY = PICTURE[..., 0]
WHITE_ALPHA = np.full(GRAY.shape, 255, np.uint8)
INDEX = (GRAY > 0).astype(np.uint8)
PALETTE = chunk(b'PLTE', bytes([0, 0, 0, 255, 255, 255]))
FILES = {
    'gray.png': encoded('.png', GRAY),
    'gray_alpha.png': png(np.dstack([GRAY, WHITE_ALPHA]), 4),
    'rgba.png': encoded('.png', np.dstack([PICTURE, WHITE_ALPHA])),
    'gray16.png': encoded('.png', GRAY.astype(np.uint16) * 257),
    'rgb16.tiff': encoded('.tiff', PICTURE.astype(np.uint16) * 257),
    'rgba16.png': encoded('.png', np.dstack([PICTURE, WHITE_ALPHA]).astype(np.uint16) * 257),
    'float.tiff': encoded('.tiff', PICTURE.astype(np.float32) / 255),
    'palette.png': png(INDEX, 3, PALETTE),
    'one_bit.png': png(np.packbits(INDEX, axis=1), 0, bits=1),
    'bitmap.bmp': encoded('.bmp'),
    'lossy.webp': encoded('.webp'),
    'portable.pgm': encoded('.pgm', GRAY),
    'UPPER.JPG': encoded('.jpg'),
    'png_inside.jpg': encoded('.png'),
    'with a film behind.jpg': encoded('.jpg') + b'\0' * 5000,
    'brackets[1].png': encoded('.png'),
    'h\u00e4nde \u624b.png': encoded('.png'),
}
BROKEN = {
    'zeros.png': bytes(3000),
    'text.png': b'this is no picture',
    'half.jpg': encoded('.jpg')[:700],
    'half.png': encoded('.png')[:150],
    'animated.webp': b'RIFF\0\0\0\0WEBPVP8X',
}


def inferencer(**options) -> HandPoseInferencer:
    return HandPoseInferencer(DotRunner(), **options)


def at_the_dot(result) -> None:
    (hand,) = result.hands
    np.testing.assert_allclose(hand.keypoints, np.tile(DOT, (21, 1)), atol=0.35)
    assert result.size == (160, 120) and result.note == ''


@pytest.mark.parametrize('name', FILES)
def test_files_of_every_kind(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    for box in (BOX, None):
        (result,) = inferencer().infer(tmp_path / name, boxes=box, side='right')
        if box is not None:
            at_the_dot(result)
        else:  # a cell of this crop is 2.5 px
            np.testing.assert_allclose(result.hands[0].keypoints[0], DOT, atol=1.0)


def test_what_is_transparent_is_not_seen(tmp_path: Path) -> None:
    """The dot's colour of the palette is transparent: a black picture."""
    (tmp_path / 'p.png').write_bytes(png(INDEX, 3, PALETTE + chunk(b'tRNS', bytes([255, 0]))))
    (result,) = inferencer().infer(tmp_path / 'p.png', boxes=BOX, side='right', keep_images=True)
    assert result.image.shape == (120, 160, 3) and result.image.max() == 0


@pytest.mark.parametrize(('orientation', 'turns'), [(3, 2), (6, 3), (8, 1)])
@pytest.mark.parametrize('kind', ['jpg', 'png'])
def test_joints_are_pixels_of_the_upright_picture(
    tmp_path: Path, kind: str, orientation: int, turns: int
) -> None:
    stored = np.rot90(PICTURE, -turns).copy()
    tiff = b'II*\0' + struct.pack('<IHHHIHHI', 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    if kind == 'png':
        data = png(stored, 2, chunk(b'eXIf', tiff), width=stored.shape[1])
    else:
        raw, segment = encoded('.jpg', stored), b'Exif\0\0' + tiff
        data = raw[:2] + b'\xff\xe1' + struct.pack('>H', len(segment) + 2) + segment + raw[2:]
    (tmp_path / f'turned.{kind}').write_bytes(data)
    (result,) = inferencer().infer(tmp_path / f'turned.{kind}', boxes=BOX, side='right')
    at_the_dot(result)


ARRAYS = {
    'gray': GRAY,
    'one channel': GRAY[..., None],
    'RGBA': np.dstack([PICTURE, WHITE_ALPHA]),
    '16 bit': PICTURE.astype(np.uint16) * 257,
    'half precision': (PICTURE / 255).astype(np.float16),
    'backwards in memory': np.ascontiguousarray(PICTURE[::-1, ::-1, ::-1])[::-1, ::-1, ::-1],
    'columns first in memory': np.asfortranarray(PICTURE),
    'every second pixel': np.repeat(np.repeat(PICTURE, 2, 0), 2, 1)[::2, ::2],
}


@pytest.mark.parametrize('name', ARRAYS)
def test_arrays_of_every_kind(name: str) -> None:
    given = ARRAYS[name].view()
    given.setflags(write=False)
    before = given.copy()
    (result,) = inferencer().infer(given, boxes=BOX, side='right')
    at_the_dot(result)
    np.testing.assert_array_equal(given, before)


def test_a_folder_of_everything_never_stops(tmp_path: Path) -> None:
    files = {**FILES, **BROKEN}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    cv2.imwrite(str(tmp_path / 'tiny.png'), np.zeros((1, 300), np.uint8))
    (tmp_path / 'folder.png').mkdir()
    results = inferencer(batch_size=4).infer(tmp_path, boxes=BOX, side='right')
    found = {Path(one.path).name: one for one in results}
    assert set(found) == {*files, 'tiny.png'}
    for name in FILES:
        at_the_dot(found[name])
    for name in BROKEN:
        assert found[name].hands == () and name in found[name].note and found[name].size == (0, 0)
    assert '300 x 1 px are too small' in found['tiny.png'].note


@pytest.mark.parametrize('name', BROKEN)
def test_a_broken_picture_alone_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BROKEN[name])
    with pytest.raises(DataError, match=name):
        list(inferencer().infer(tmp_path / name))


def test_boxes_stay_with_their_pictures_behind_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(b'broken')
    pictures = [tmp_path / 'a.png', PICTURE, dot_picture(40, 90)]
    boxes = [[(0, 0, 9, 9)], [BOX], [(30, 80, 50, 100)]]
    results = list(inferencer().infer(pictures, boxes=boxes, side='right'))
    assert [len(one.hands) for one in results] == [0, 1, 1]
    assert results[1].hands[0].box.tolist() == list(BOX)
    np.testing.assert_allclose(results[2].hands[0].keypoints[0], (40, 90), atol=0.35)


@pytest.mark.parametrize(
    ('box', 'tolerance'),
    [
        ((69, 32, 71, 34), 0.1),  # smaller than the dot: its middle
        ((69.9, 32.9, 70.1, 33.1), 0.1),
        ((60, -20, 80, 60), 1.0),  # partly above the picture
        ((-30, -67, 170, 133), 1.5),  # larger than the picture; a cell is 4.7 px
    ],
)
def test_boxes_of_every_size(box: tuple[float, ...], tolerance: float) -> None:
    (result,) = inferencer().infer(PICTURE, boxes=box, side='right')
    np.testing.assert_allclose(result.hands[0].keypoints[0], DOT, atol=tolerance)
    np.testing.assert_allclose(result.hands[0].box, box, rtol=1e-5)


@pytest.mark.parametrize(
    ('image', 'said'),
    [
        (PICTURE.astype(np.float32), 'up to 255'),
        (PICTURE.astype(np.int64), 'int64'),
        (torch.from_numpy(PICTURE), r'torch\.Tensor: convert it'),
    ],
)
def test_what_is_no_picture_of_ours_is_said_in_one_error(image, said: str) -> None:
    with pytest.raises(DataError, match=said):
        list(inferencer().infer(image))


def test_byte_order_does_not_matter() -> None:
    big = (PICTURE.astype(np.uint16) * 257).astype('>u2')
    (result,) = inferencer().infer(big, boxes=BOX, side='right')
    np.testing.assert_allclose(result.hands[0].keypoints[0], DOT, atol=1.0)


def test_a_box_is_outside_where_its_crop_would_still_touch() -> None:
    with pytest.raises(ConfigError, match='outside of the picture of 160 x 120'):
        list(inferencer().infer(PICTURE, boxes=(165, 20, 265, 120)))


def test_a_dangling_link_is_noted(tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(FILES['gray.png'])
    (tmp_path / 'b.png').symlink_to(tmp_path / 'gone.png')
    results = list(inferencer().infer(tmp_path))
    assert [bool(one.hands) for one in results] == [True, False] and 'not there' in results[1].note


@pytest.mark.parametrize('box', [(5, 5, 5, 9), (9, 9, 5, 5), (np.nan, 0, 1, 1), (0, 0, np.inf, 1), (0, 0, 9)])
def test_boxes_that_are_none(box: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match='box'):
        inferencer().infer(PICTURE, boxes=box)


@pytest.mark.parametrize('size', [(16, 16), (16, 2000), (9000, 16), (8000, 6000)])
def test_pictures_of_every_size(size: tuple[int, int]) -> None:
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    x, y = width // 2, height // 2
    image[y - 4 : y + 4, x - 4 : x + 4] = 255  # about (x - 0.5, y - 0.5)
    box = (x - 16.0, y - 16.0, x + 15.0, y + 15.0)
    (result,) = inferencer().infer(image, boxes=box, side='left')
    np.testing.assert_allclose(result.hands[0].keypoints, np.tile([x - 0.5, y - 0.5], (21, 1)), atol=0.1)
    (whole,) = inferencer().infer(image)
    assert whole.size == size and np.isfinite(whole.hands[0].keypoints).all()


def test_whoever_stops_early_leaves_no_thread() -> None:
    before = threading.active_count()
    results = inferencer(batch_size=2).infer([PICTURE] * 50, side='right')
    next(results)
    results.close()
    assert threading.active_count() == before
    assert list(inferencer().infer([])) == []


def test_two_readers_at_once_do_not_meddle() -> None:
    one = inferencer(batch_size=2)
    left = one.infer([dot_picture(40, 40)] * 5, side='right')
    right = one.infer([dot_picture(120, 80)] * 5, side='right')
    for first, second in zip(left, right, strict=True):
        np.testing.assert_allclose(first.hands[0].keypoints[0], (40, 40), atol=1)
        np.testing.assert_allclose(second.hands[0].keypoints[0], (120, 80), atol=1)
