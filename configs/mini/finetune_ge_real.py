"""``finetune_ge_real.py`` for two processor cores: a small network, small pictures, a quantile as gate."""

_base_ = ['../_base_/methods/mini/finetune.py', '../_base_/targets/ge_real.py']

target_pipeline = _base_.target_pipeline
target_pipeline[1] = dict(_base_.whole_crop, input_size=_base_.input_size, augment=_base_.augment)
test_pipeline = _base_.test_pipeline
test_pipeline[1] = dict(_base_.whole_crop, input_size=_base_.input_size)
train_dataloader = dict(
    streams=dict(target=dict(dataset=dict(_base_.target.train, pipeline=target_pipeline)))
)
test_dataloader = dict(
    _delete_=True, dataset=dict(_base_.target.test, pipeline=test_pipeline), **_base_.whole_loader
)
val_dataloader = test_dataloader
default_hooks = dict(pseudo_labels=dict(labeler=dict(root_depth='solve')))
