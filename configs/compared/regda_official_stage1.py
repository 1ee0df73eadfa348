"""Stage 1 of RegDA as published: SGD, epochs of 500 steps, batches of 32, its own labels and augmentation."""

_base_ = ['regda_res101_stage1.py']

train_pipeline = _base_.train_pipeline
train_pipeline[1]['augment'] = _base_.regda.official.augment
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
model = dict(
    data_preprocessor=dict(
        texture=dict(plain=dict(rgb=dict(_delete_=True, **_base_.regda.official.rgb))),
    ),
    head=dict(codec=_base_.regda.official.codec),
    visible_only=True,
)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, **_base_.regda.optim_wrapper.optimizer),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
)
param_scheduler = [dict(type='MultiStepLR', milestones=[45, 60], gamma=0.1, by_epoch=True)]
train_cfg = dict(type='FixedEpochTrainLoop', max_epochs=70, epoch_length=500, val_interval=10)
auto_scale_lr = dict(base_batch_size=32)
