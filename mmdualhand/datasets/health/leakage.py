"""Whether samples of one split are also in another."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from mmdualhand.datasets.health.pictures import HASH_BITS, PictureScan, block_difference, read_grey
from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WARNING, WRONG, Row
from mmdualhand.datasets.health.table import LabelTable, listed
from mmdualhand.datasets.health.units import reference_lengths
from mmdualhand.structures import DEFAULT_REFERENCE_LENGTH_MM, ROOT_JOINT

POSE_CHECK, PICTURE_CHECK = 'leakage: poses', 'leakage: pictures'
SAME_POSE_MM = 0.3
"""Root mean square distance of the joints, with |9-10| made 40 mm, of one label written twice."""
NEAR_POSE_MM = 2.5
"""As far as a hand moves between two frames of a video."""
NEAR_SHARE = 0.2
HASH_DISTANCE = 40
"""Bits of 255 that may differ before two pictures are compared by themselves; unrelated ones differ in
about 127 with a standard deviation of 8."""
SAME_BLOCK = 12.0
"""Largest difference of any block, grey levels, of a picture and its recompressed copy: JPEG of quality 30
makes 7; successive photos of a moving hand differ by 50 and more."""
_CHUNK = 128
_COPY_ADVICE = 'take them out of the training split: results would be too good'


def normalised_poses(table: LabelTable) -> np.ndarray:
    """(N, 63) float64 mm: joints about the root, scaled to |9-10| = 40 mm, root mean square of a joint."""
    xyz = table.xyz
    scale = DEFAULT_REFERENCE_LENGTH_MM / np.maximum(reference_lengths(xyz), 1e-9)
    centred = (xyz - xyz[:, ROOT_JOINT : ROOT_JOINT + 1]) * scale[:, None, None]
    return centred.reshape(len(xyz), -1) / np.sqrt(xyz.shape[1])


def nearest(test: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of ``test`` (T, D) the nearest row of ``train`` (N, D): its number and distance."""
    places, distances = np.zeros(len(test), np.int64), np.zeros(len(test))
    squares = (train**2).sum(axis=1)
    for start in range(0, len(test), _CHUNK):
        part = test[start : start + _CHUNK]
        gap = squares - 2 * part @ train.T
        best = gap.argmin(axis=1)
        places[start : start + _CHUNK] = best
        distances[start : start + _CHUNK] = np.linalg.norm(part - train[best], axis=1)
    return places, distances


def check_pose_leakage(train: LabelTable, test: LabelTable) -> Row:
    """Look for test labels that are also training labels.

    Args:
        train: Labels of the split that is learnt from.
        test: Labels of the split that is measured on.
    """
    part = f'{train.split} / {test.split}'
    train, test = train.keep(train.labelled), test.keep(test.labelled)
    if not len(train) or not len(test):
        return Row(POSE_CHECK, part, NOT_APPLICABLE, 'no 3D labels in one of the two')
    places, distances = nearest(normalised_poses(test), normalised_poses(train))
    same = np.nonzero(distances < SAME_POSE_MM)[0]
    text = (
        f'nearest training pose of {len(test)} test poses: {distances.min():.2f} mm, median '
        f'{np.median(distances):.1f}'
    )
    if len(same):
        pairs = [f'{test.ids[row]} = {train.ids[places[row]]}' for row in same]
        found = f'{len(same)} test poses are labels of training samples ({listed(pairs)}): {text}'
        return Row(POSE_CHECK, part, WRONG, found, _COPY_ADVICE)
    near = float((distances < NEAR_POSE_MM).mean())
    if near > NEAR_SHARE:
        found = f'{near:.0%} of the test poses are within {NEAR_POSE_MM} mm of a training pose: {text}'
        advice = 'does the split cut through recordings? Split by recording'
        return Row(POSE_CHECK, part, WARNING, found, advice)
    return Row(POSE_CHECK, part, OK, text)


def check_picture_leakage(train: LabelTable, test: LabelTable, scan: PictureScan, root: Path) -> Row:
    """Look for test pictures that are also training pictures, recompressed or not.

    Args:
        train: Samples of the split that is learnt from.
        test: Samples of the split that is measured on.
        scan: Fingerprints of the pictures.
        root: Folder that names are shown relative to.
    """
    part = f'{train.split} / {test.split}'
    train_paths, train_codes = _codes(train, scan)
    test_paths, test_codes = _codes(test, scan)
    if not len(train_codes) or not len(test_codes):
        return Row(PICTURE_CHECK, part, NOT_APPLICABLE, 'no pictures in one of the two')
    copies, closest = [], HASH_BITS
    for start in range(0, len(test_codes), _CHUNK):
        chunk = test_codes[start : start + _CHUNK]
        bits = (HASH_BITS - chunk @ train_codes.T) / 2
        closest = min(closest, int(bits.min()))
        for row, place in enumerate(bits.argmin(axis=1).tolist()):
            first, second = test_paths[start + row], train_paths[place]
            if bits[row, place] <= HASH_DISTANCE and same_picture(first, second):
                copies.append((os.path.relpath(first, root), os.path.relpath(second, root)))
    pairs_seen = f'{len(test_codes)} x {len(train_codes)} fingerprints'
    text = f'{pairs_seen}, closest differ in {closest} of {HASH_BITS} bits'
    if copies:
        pairs = [f'test image {first} is a copy of train image {second}' for first, second in copies]
        return Row(PICTURE_CHECK, part, WRONG, f'{listed(pairs, 2)}: {text}', _COPY_ADVICE)
    return Row(PICTURE_CHECK, part, OK, text)


def same_picture(first: str, second: str) -> bool:
    """Whether no part of two pictures differs by more than recompression."""
    return block_difference(read_grey(first), read_grey(second)) <= SAME_BLOCK


def _codes(table: LabelTable, scan: PictureScan) -> tuple[list[str], np.ndarray]:
    """Paths and fingerprints (P, 255) as -1 and 1, of every picture once."""
    paths = [path for path in dict.fromkeys(table.pictures('rgb').tolist()) if path in scan.hashes]
    codes = np.array([scan.hashes[path] for path in paths], np.float32).reshape(-1, HASH_BITS)
    return paths, codes * 2 - 1
