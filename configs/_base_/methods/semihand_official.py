"""SemiHand on any target, as published: two hourglasses, input and maps of 64 px, its own schedule."""

_base_ = ['semihand.py']

input_size = (64, 64)
source_pipeline = _base_.source_pipeline
source_pipeline[1]['input_size'] = input_size
target_pipeline = _base_.target_pipeline
target_pipeline[1]['input_size'] = input_size
test_pipeline = _base_.test_pipeline
test_pipeline[1]['input_size'] = input_size
train_dataloader = dict(
    batch_size=128,
    streams=dict(
        source=dict(dataset=dict(pipeline=source_pipeline)),
        target=dict(dataset=dict(pipeline=target_pipeline)),
    ),
)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
val_dataloader = test_dataloader

model = dict(
    backbone=dict(
        _delete_=True,
        type='DualEncoder',
        rgb_encoder=dict(type='HourglassNet', num_stacks=2, channels=256, stem_stride=1),
    ),
    head=dict(deconv_channels=(), codec=dict(input_size=input_size)),
)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[5], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=10, val_interval=10)
auto_scale_lr = dict(base_batch_size=128)
load_from = 'work_dirs/compared/semihand_official_stage1/epoch_100.pth'
