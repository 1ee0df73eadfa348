"""``compared/semihand_mvhand.py`` at the scale of ``mini/finetune_mvhand.py``."""

_base_ = ['../../compared/semihand_mvhand.py']

data_root = '{{$HAND_DATA:data}}/mini/MVHand'
source_root = '{{$HAND_DATA:data}}/mini/RHD_published_v2'
input_size = (96, 96)
source_pipeline = _base_.source_pipeline
source_pipeline[1]['input_size'] = input_size
target_pipeline = _base_.target_pipeline
target_pipeline[1]['input_size'] = input_size
test_pipeline = _base_.test_pipeline
test_pipeline[1]['input_size'] = input_size
train_dataloader = dict(
    batch_size=16,
    streams=dict(
        source=dict(dataset=dict(data_root=source_root, pipeline=source_pipeline)),
        target=dict(dataset=dict(data_root=data_root, pipeline=target_pipeline)),
    ),
)
test_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
val_dataloader = test_dataloader

model = dict(
    backbone=dict(depth=18, base_channels=16, init_cfg=None),
    head=dict(deconv_channels=(64, 64, 64), codec=dict(input_size=input_size)),
)
optim_wrapper = dict(optimizer=dict(lr=3e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[10], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=12, val_interval=12)
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(
    pseudo_labels=dict(labeler=dict(selector=dict(_delete_=True, type='Quantile', keep=0.6)))
)
load_from = 'work_dirs/mini/compared/semihand_stage1/epoch_8.pth'
