"""Stage 2 of the paper on H3D (Eq. 11, Section 5.2): labelled RHD, training frames unlabelled."""

_base_ = ['_base_/self_training.py', '_base_/datasets/rhd_and_target.py', '_base_/datasets/h3d.py']

train_dataloader = dict(
    streams=dict(
        target=dict(
            dataset=dict(type='H3DDataset', data_root=_base_.data_root, split='train', without_object=True)
        )
    )
)
val_dataloader = _base_.test_dataloader
val_evaluator = _base_.test_evaluator
