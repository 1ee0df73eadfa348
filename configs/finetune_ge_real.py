"""Stage 2 on real photos: labelled RHD, photos of Ge et al. that have no labels; measured on the others.

The root depth of these photos is not known either, so the correction finds it; their reference bone is taken
as the 50 mm that the set gives.
"""

_base_ = ['_base_/self_training.py', '_base_/datasets/rhd_and_target.py', '_base_/datasets/ge_real.py']

target_pipeline = _base_.target_pipeline
target_pipeline[1] = dict(type='HandCrop', input_size=(256, 256), rule='whole', augment=_base_.augment)
train_dataloader = dict(
    streams=dict(
        target=dict(
            dataset=dict(
                type='GeRealDataset',
                data_root=_base_.data_root,
                split='train',
                reference_length='dataset',
                test_mode=False,
                pipeline=target_pipeline,
            ),
        ),
    ),
)
val_dataloader = _base_.test_dataloader
val_evaluator = _base_.test_evaluator
default_hooks = dict(pseudo_labels=dict(labeler=dict(root_depth='solve')))
