"""The health check on the real sample files: none of it is wrong, and what is not there is listed."""

from __future__ import annotations

from mmdualhand.datasets.health import NOT_APPLICABLE, OK, WARNING, Examination, Row, examine
from tests.fixtures.coco_writer import require_xtcocotools
from tests.test_datasets.conftest import shared_folder


def row_of(result: Examination, check: str) -> Row:
    (row,) = [row for row in result.report.rows if row.check == check]
    return row


def assert_sound(result: Examination) -> None:
    assert result.report.healthy, result.report.as_text()
    assert [row for row in result.report.rows if row.verdict == WARNING] == []


def test_stb_label_file_and_frame() -> None:
    result = examine('stb', shared_folder('STB'), partial=True)
    assert_sound(result)
    # the published skeleton: 39.1 mm from the palm, then 40, 25 and 21 mm in every frame
    assert 'middle finger 39.1 / 40.0 / 25.0 / 21.0 mm' in row_of(result, 'bone lengths').measured
    assert '|9-10| 40.0 to 40.0 mm' in row_of(result, 'bone lengths').measured
    assert row_of(result, 'bones keep their length').measured == 'within each recording to 0.00%'
    assert row_of(result, 'published skeleton').verdict == OK
    assert '100% of the votes of 1500 left hands say left' in row_of(result, 'side of the hands').measured
    assert '100.0% of the joints of 1 samples' in row_of(result, 'joints inside the picture').measured
    absent = result.report.absent
    assert 'labels/B1Random_BB.mat' in absent and 'labels/B6Random_BB.mat' in absent
    assert '1499 of 1500 rgb pictures of test' in absent
    readers = [row for row in result.report.rows if row.check == 'reader']
    assert all(row.verdict == NOT_APPLICABLE for row in readers)


def test_stb_right_camera() -> None:
    result = examine('stb', shared_folder('STB'), partial=True, options={'stream': 'BB_right'})
    assert_sound(result)
    assert '100.0% of the joints of 1 samples' in row_of(result, 'joints inside the picture').measured


def test_stb_without_partial_says_what_is_missing() -> None:
    report = examine('stb', shared_folder('STB')).report
    assert not report.healthy
    assert any('missing: labels/B1Random_BB.mat' in row.measured for row in report.rows)


def test_freihand_intrinsics() -> None:
    result = examine('freihand', shared_folder('freihand_eval'), partial=True)
    assert_sound(result)
    measured = row_of(result, 'intrinsics').measured
    assert '3960 matrices: fx 204.1 to 1130.3 px (median 492.5), fy/fx 0.9976 to 1.0019' in measured
    assert '(112, 112) px, as published' in row_of(result, 'principal point').measured
    assert 'training_xyz.json' in result.report.absent


def test_rhd_frames() -> None:
    require_xtcocotools()
    options = {'ann': ['test_rhd.json'], 'source': 'rhd'}
    result = examine('coco', shared_folder('rhd_mmpose'), options=options)
    assert_sound(result)
    assert '3D projected with K is 0.0404 px from 2D' in row_of(result, 'reprojection').measured
    assert 'middle finger 95.0 / 36.8 / 29.4 / 29.8 mm' in row_of(result, 'bone lengths').measured


def test_rhd_frames_read_with_another_order() -> None:
    """MMPose names the joints of its RHD file from base to tip; they are from tip to base."""
    require_xtcocotools()
    options = {'ann': ['test_rhd.json'], 'source': 'rhd', 'joint_order': 'freihand'}
    row = row_of(examine('coco', shared_folder('rhd_mmpose'), options=options), 'joint order')
    assert row.verdict != OK and 'tip to base' in row.measured


def test_freihand_frames() -> None:
    require_xtcocotools()
    options = {'ann': ['test_freihand.json'], 'source': 'freihand'}
    assert_sound(examine('coco', shared_folder('freihand_mmpose'), options=options))


def test_photos_of_ge() -> None:
    result = examine('ge_real', shared_folder('ge_real'))
    assert_sound(result)
    measured = [row.measured for row in result.report.rows]
    assert any('100% of the votes of 150 left hands say left' in text for text in measured)
    # successive photos are in both lists, and none is the same
    assert row_of(result, 'leakage: pictures').verdict == OK
