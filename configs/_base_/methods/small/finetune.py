"""``mini/finetune.py`` on more pictures: at most four minutes on two cores."""

_base_ = ['../mini/finetune.py']

source_root = '{{$HAND_DATA:data}}/small/RHD_published_v2'
train_dataloader = dict(streams=dict(source=dict(dataset=dict(data_root=source_root))))
param_scheduler = [dict(type='MultiStepLR', milestones=[5], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=6, val_interval=6)
load_from = 'work_dirs/small/pretrain_rhd/epoch_6.pth'
