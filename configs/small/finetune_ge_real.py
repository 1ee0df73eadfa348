"""``mini/finetune_ge_real.py`` with the source of ``small``; the few photos are the same at every scale."""

_base_ = ['../mini/finetune_ge_real.py']

source_root = '{{$HAND_DATA:data}}/small/RHD_published_v2'
train_dataloader = dict(streams=dict(source=dict(dataset=dict(data_root=source_root))))
param_scheduler = [dict(type='MultiStepLR', milestones=[10], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=12, val_interval=12)
load_from = 'work_dirs/small/pretrain_rhd/epoch_6.pth'
