"""CC-SSL on any target, as published: four hourglasses, RMSprop, labels every ten of 60 epochs."""

_base_ = ['ccssl.py']

source_pipeline = _base_.source_pipeline
source_pipeline[1]['augment'] = dict(rotation=30.0, scale=(0.5, 1.5), translation=0.05, prob=0.5)
target_pipeline = _base_.target_pipeline
target_pipeline[1]['augment'] = dict(rotation=30.0, scale=(0.75, 1.25), translation=0.0, prob=0.6)
train_dataloader = dict(
    batch_size=6,
    streams=dict(
        source=dict(dataset=dict(pipeline=source_pipeline)),
        target=dict(dataset=dict(pipeline=target_pipeline)),
    ),
)
model = dict(
    backbone=dict(_delete_=True, type='HourglassNet', num_stacks=4, num_blocks=1),
    head=dict(deconv_channels=(), num_stages=4, codec=dict(sigma=1.0, round_centers=True)),
    statistics='both',
)
default_hooks = dict(pseudo_labels=dict(interval=10))
optim_wrapper = dict(optimizer=dict(_delete_=True, type='RMSprop', lr=2.5e-4))
param_scheduler = []
train_cfg = dict(max_epochs=60, val_interval=60)
auto_scale_lr = dict(base_batch_size=6)
load_from = 'work_dirs/compared/ccssl_official_stage1/epoch_100.pth'
