"""``finetune.py`` for two processor cores: a small network, small pictures, a quantile as gate.

It starts from ``mini/pretrain_rhd.py``; every part of the method is as there.
"""

_base_ = ['../finetune.py', '../../scales/mini.py']

source_root = '{{$HAND_DATA:data}}/mini/RHD_published_v2'
source_pipeline = _base_.source_pipeline
source_pipeline[1]['input_size'] = _base_.input_size
target_pipeline = _base_.target_pipeline
target_pipeline[1]['input_size'] = _base_.input_size
test_pipeline = _base_.test_pipeline
test_pipeline[1]['input_size'] = _base_.input_size
train_dataloader = dict(
    batch_size=16,
    streams=dict(
        source=dict(dataset=dict(data_root=source_root, pipeline=source_pipeline)),
        target=dict(dataset=dict(pipeline=target_pipeline)),
    ),
)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
val_dataloader = test_dataloader

model = _base_.network
optim_wrapper = dict(optimizer=dict(lr=3e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[7], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=8, val_interval=8)
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(
    pseudo_labels=dict(labeler=dict(selector=dict(_delete_=True, type='Quantile', keep=0.6)))
)
load_from = 'work_dirs/mini/pretrain_rhd/epoch_8.pth'
