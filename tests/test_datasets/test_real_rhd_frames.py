from __future__ import annotations

import json

import numpy as np
import pytest

from mmdualhand.datasets import BaseHandDataset
from mmdualhand.structures import Camera, HandSkeleton, chirality_scores


class MMPoseRHD(BaseHandDataset):
    """The three real RHD frames of MMPose's test data: raw tip-to-base order, mm."""

    def __init__(self, folder, **kwargs):
        self.folder = folder
        content = json.loads((folder / 'test_rhd.json').read_text())
        self.rows = content['annotations']
        self.images = {image['id']: image for image in content['images']}
        super().__init__(folder, **kwargs)

    def num_records(self):
        return len(self.rows)

    def load_record(self, index):
        row = self.rows[index]
        image = self.images[row['image_id']]
        skeleton = HandSkeleton.from_dataset(f'rhd_{row["hand_type"]}')
        focal, centre = image['cam_param']['focal'], image['cam_param']['princpt']
        keypoints = skeleton.to_canonical(np.array(row['keypoints']))
        return {
            'sample_id': f'{row["image_id"]:05d}/{row["hand_type"]}',
            'img_path': str(self.folder / image['file_name']),
            'hand_side': row['hand_type'],
            'camera': np.array([[focal[0], 0, centre[0]], [0, focal[1], centre[1]], [0, 0, 1]]),
            'keypoints_2d': keypoints[:, :2],
            'keypoints_3d': skeleton.to_canonical(np.array(row['joint_cam'])),
            'keypoints_visible': keypoints[:, 2].astype(np.float32),
        }


@pytest.fixture(scope='module')
def dataset(rhd_mmpose_folder):
    pipeline = [
        dict(type='LoadHandModalities', modalities=('rgb',)),
        dict(type='HandCrop'),
        dict(type='PackHandInputs'),
    ]
    return MMPoseRHD(rhd_mmpose_folder, pipeline=pipeline)


def test_reprojection_below_a_tenth_of_a_pixel(dataset):
    for index in range(3):
        record = dataset.labels_only(index)
        projected = Camera(record['camera']).project(record['keypoints_3d'])
        assert np.linalg.norm(projected - record['keypoints_2d'], axis=-1).max() < 0.1


def test_chirality_agrees_with_the_label(dataset):
    sides = []
    for index in range(3):
        record = dataset.labels_only(index)
        bend, thumb = chirality_scores(record['keypoints_3d'][None])[0]
        sign = 1 if record['hand_side'] == 'right' else -1
        assert sign * bend > 0 and sign * thumb > 0
        sides.append(record['hand_side'])
    assert sides == ['left', 'left', 'right']


def test_mirrored_crop_still_reprojects(dataset):
    for index in range(3):
        packed = dataset[index]
        targets = packed['targets']
        record = dataset.labels_only(index)
        sign = -1 if record['hand_side'] == 'left' else 1
        points = record['keypoints_3d'] * [sign, 1, 1] @ targets['camera'].double().numpy().T
        crop_uv = (points[:, :2] / points[:, 2:] + 0.5) / 4 - 0.5
        zoom = abs(targets['crop_matrix'][0, 0].item()) / 4
        np.testing.assert_allclose(crop_uv, targets['pose25d'][:, :2].numpy(), atol=0.1 * zoom)
