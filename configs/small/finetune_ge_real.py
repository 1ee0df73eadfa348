"""``mini/finetune_ge_real.py`` on more pictures: at most four minutes on two cores."""

_base_ = ['../mini/finetune_ge_real.py']

data_root = '{{$HAND_DATA:data}}/ge_real'
source_root = '{{$HAND_DATA:data}}/small/RHD_published_v2'
train_dataloader = dict(
    streams=dict(
        source=dict(dataset=dict(data_root=source_root)),
        target=dict(dataset=dict(data_root=data_root)),
    ),
)
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
param_scheduler = [dict(type='MultiStepLR', milestones=[10], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=12, val_interval=12)
load_from = 'work_dirs/small/pretrain_rhd/epoch_6.pth'
