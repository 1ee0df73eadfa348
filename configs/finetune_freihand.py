"""Stage 2 of the paper on FreiHAND (Eq. 11, Section 5.2): labelled RHD, 15,000 training photos unlabelled."""

_base_ = ['_base_/self_training.py', '_base_/datasets/rhd_and_target.py', '_base_/datasets/freihand.py']

train_dataloader = dict(
    streams=dict(
        target=dict(
            dataset=dict(
                type='FreiHANDDataset',
                data_root=_base_.data_root,
                split='training',
                num_subset=15000,
                subset_seed=0,
            )
        )
    )
)
val_dataloader = _base_.test_dataloader
val_evaluator = _base_.test_evaluator
