"""``pretrain_rhd.py`` for two processor cores: a small network on small embedded pictures, few epochs.

Every part of the method is as there. Data: ``tools/make_mini_benchmark.py --out data/mini --only rhd``.
"""

_base_ = ['../pretrain_rhd.py']

data_root = '{{$HAND_DATA:data}}/mini/RHD_published_v2'
input_size = (96, 96)
train_pipeline = _base_.train_pipeline
train_pipeline[1]['input_size'] = input_size
test_pipeline = _base_.test_pipeline
test_pipeline[1]['input_size'] = input_size
train_dataloader = dict(batch_size=16, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

model = dict(
    backbone=dict(depth=18, base_channels=16, init_cfg=None),
    head=dict(deconv_channels=(64, 64, 64), codec=dict(input_size=input_size)),
)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [dict(type='MultiStepLR', milestones=[11, 13], gamma=0.1, by_epoch=True)]
auto_scale_lr = dict(base_batch_size=16)
train_cfg = dict(max_epochs=15, val_interval=5)
