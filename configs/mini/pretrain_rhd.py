"""``pretrain_rhd.py`` for two processor cores: a small network on small embedded pictures, few epochs.

Every part of the method is as there. It starts from ``mini/init_rgb.py``, as the full size does from ImageNet
weights. Data: ``tools/make_mini_benchmark.py --out data/mini --only rhd``.
"""

_base_ = ['../pretrain_rhd.py', '../_base_/scales/mini.py']

data_root = '{{$HAND_DATA:data}}/mini/RHD_published_v2'
train_pipeline = _base_.train_pipeline
train_pipeline[1]['input_size'] = _base_.input_size
test_pipeline = _base_.test_pipeline
test_pipeline[1]['input_size'] = _base_.input_size
train_dataloader = dict(batch_size=16, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

model = _base_.network
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [dict(type='MultiStepLR', milestones=[6, 7], gamma=0.1, by_epoch=True)]
auto_scale_lr = dict(base_batch_size=16)
train_cfg = dict(max_epochs=8, val_interval=4)
load_from = 'work_dirs/mini/init_rgb/epoch_2.pth'
