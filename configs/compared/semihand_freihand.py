"""SemiHand on FreiHAND: labelled RHD, the photos of ``finetune_freihand.py`` unlabelled."""

_base_ = ['../_base_/semihand.py', '../_base_/datasets/rhd_and_target.py', '../_base_/datasets/freihand.py']

target_pipeline = [*_base_.target_pipeline, dict(type='LoadPseudoLabel')]
train_dataloader = dict(
    streams=dict(
        target=dict(
            dataset=dict(
                type='FreiHANDDataset',
                data_root=_base_.data_root,
                split='training',
                num_subset=15000,
                subset_seed=0,
                pipeline=target_pipeline,
            )
        )
    )
)
val_dataloader = _base_.test_dataloader
val_evaluator = _base_.test_evaluator
