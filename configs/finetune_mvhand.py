"""Stage 2 of the paper on MVHand (Eq. 11, Section 5.2): labelled RHD, 15,000 training frames unlabelled."""

_base_ = ['_base_/self_training.py', '_base_/datasets/rhd_and_target.py', '_base_/datasets/mvhand.py']

train_dataloader = dict(
    streams=dict(
        target=dict(
            dataset=dict(
                type='MVHandDataset',
                data_root=_base_.data_root,
                split='train',
                views=(0, 1, 2, 3),
                num_subset=15000,
                subset_seed=0,
            )
        )
    )
)
val_dataloader = _base_.test_dataloader
val_evaluator = _base_.test_evaluator
