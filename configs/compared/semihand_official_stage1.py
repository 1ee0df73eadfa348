"""Stage 1 of SemiHand as published: two hourglasses, input and maps of 64 px, pose and mask."""

_base_ = ['semihand_stage1.py']

input_size = (64, 64)
train_pipeline = _base_.train_pipeline
train_pipeline[1]['input_size'] = input_size
test_pipeline = _base_.test_pipeline
test_pipeline[1]['input_size'] = input_size
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

model = dict(
    backbone=dict(
        _delete_=True,
        type='DualEncoder',
        rgb_encoder=dict(type='HourglassNet', num_stacks=2, channels=256, stem_stride=1),
    ),
    head=dict(deconv_channels=(), codec=dict(input_size=input_size)),
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [dict(type='MultiStepLR', milestones=[60, 90], gamma=0.1, by_epoch=True)]
auto_scale_lr = dict(base_batch_size=32)
train_cfg = dict(max_epochs=100, val_interval=10)
