"""Stage 1 of CC-SSL as published: four hourglasses, RMSprop, its own augmentation and schedule."""

_base_ = ['ccssl_res101_stage1.py']

train_pipeline = _base_.train_pipeline
train_pipeline[1]['augment'] = dict(rotation=30.0, scale=(0.5, 1.5), translation=0.05, prob=0.5)
train_dataloader = dict(batch_size=6, dataset=dict(pipeline=train_pipeline))
model = dict(
    backbone=dict(_delete_=True, type='HourglassNet', num_stacks=4, num_blocks=1),
    head=dict(deconv_channels=(), num_stages=4, codec=dict(sigma=1.0, round_centers=True)),
)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='RMSprop', lr=2.5e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[60, 90], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=100, val_interval=10)
auto_scale_lr = dict(base_batch_size=6)
