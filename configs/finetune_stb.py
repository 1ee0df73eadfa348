"""Stage 2 of the paper on STB (Eq. 11, Section 5.2): labelled RHD, the 15,000 training frames unlabelled."""

_base_ = ['_base_/self_training.py', '_base_/datasets/rhd_and_target.py', '_base_/datasets/stb.py']

train_dataloader = dict(
    streams=dict(
        target=dict(
            dataset=dict(
                type='STBDataset', data_root=_base_.data_root, split='train', stream='SK', wrist='2p-r'
            )
        )
    )
)
val_dataloader = _base_.test_dataloader
val_evaluator = _base_.test_evaluator
