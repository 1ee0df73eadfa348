"""SemiHand on STB: labelled RHD, the photos of ``finetune_stb.py`` unlabelled."""

_base_ = ['../_base_/semihand.py', '../_base_/datasets/rhd_and_target.py', '../_base_/datasets/stb.py']

target_pipeline = [*_base_.target_pipeline, dict(type='LoadPseudoLabel')]
train_dataloader = dict(
    streams=dict(
        target=dict(
            dataset=dict(
                type='STBDataset',
                data_root=_base_.data_root,
                split='train',
                stream='SK',
                wrist='2p-r',
                pipeline=target_pipeline,
            )
        )
    )
)
val_dataloader = _base_.test_dataloader
val_evaluator = _base_.test_evaluator
