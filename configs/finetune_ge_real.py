"""Stage 2 on real photos: labelled RHD, photos of Ge et al. that have no labels; measured on the others.

The root depth of these photos is not known either, so the correction finds it; their reference bone is taken
as the 50 mm that the set gives.
"""

_base_ = ['_base_/methods/finetune.py', '_base_/targets/ge_real.py']

target_pipeline = _base_.target_pipeline
target_pipeline[1] = dict(_base_.whole_crop, input_size=(256, 256), augment=_base_.augment)
test_pipeline = _base_.test_pipeline
test_pipeline[1] = dict(_base_.whole_crop, input_size=(256, 256))
train_dataloader = dict(
    streams=dict(target=dict(dataset=dict(_base_.target.train, pipeline=target_pipeline)))
)
test_dataloader = dict(
    _delete_=True, dataset=dict(_base_.target.test, pipeline=test_pipeline), **_base_.whole_loader
)
val_dataloader = test_dataloader
default_hooks = dict(pseudo_labels=dict(labeler=dict(root_depth='solve')))
