"""``mini/pretrain_rhd.py`` on 4,000 pictures: a pre-training of at most ten minutes on two cores.

Data: ``tools/make_mini_benchmark.py --scale small``.
"""

_base_ = ['../mini/pretrain_rhd.py']

data_root = '{{$HAND_DATA:data}}/small/RHD_published_v2'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=7e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[4, 5], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=6, val_interval=6)
load_from = 'work_dirs/small/init_rgb/epoch_16.pth'
