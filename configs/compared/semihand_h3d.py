"""SemiHand on H3D: labelled RHD, the photos of ``finetune_h3d.py`` unlabelled."""

_base_ = ['../_base_/semihand.py', '../_base_/datasets/rhd_and_target.py', '../_base_/datasets/h3d.py']

target_pipeline = [*_base_.target_pipeline, dict(type='LoadPseudoLabel')]
train_dataloader = dict(
    streams=dict(
        target=dict(
            dataset=dict(
                type='H3DDataset',
                data_root=_base_.data_root,
                split='train',
                without_object=True,
                pipeline=target_pipeline,
            )
        )
    )
)
val_dataloader = _base_.test_dataloader
val_evaluator = _base_.test_evaluator
