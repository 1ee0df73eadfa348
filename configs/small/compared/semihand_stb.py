"""``compared/semihand_stb.py`` at the scale of ``small/finetune_stb.py``."""

_base_ = ['../../mini/compared/semihand_stb.py']

data_root = '{{$HAND_DATA:data}}/small/STB'
source_root = '{{$HAND_DATA:data}}/small/RHD_published_v2'
train_dataloader = dict(
    streams=dict(
        source=dict(dataset=dict(data_root=source_root)),
        target=dict(dataset=dict(data_root=data_root)),
    ),
)
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
param_scheduler = [dict(type='MultiStepLR', milestones=[5], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=6, val_interval=6)
load_from = 'work_dirs/small/compared/semihand_stage1/epoch_6.pth'
