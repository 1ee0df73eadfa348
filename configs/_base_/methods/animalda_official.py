"""AnimalDA on any target, as published: ResNet-50, polynomial decay, 80 epochs."""

_base_ = ['animalda.py']

source_pipeline = _base_.source_pipeline
source_pipeline[1]['augment'] = dict(rotation=30.0, scale=(0.5, 1.5), translation=0.05, prob=0.5)
target_pipeline = _base_.target_pipeline
target_pipeline[1]['augment'] = dict(rotation=45.0, scale=(0.6, 1.4), translation=0.0, prob=0.6)
train_dataloader = dict(
    batch_size=6,
    streams=dict(
        source=dict(dataset=dict(pipeline=source_pipeline)),
        target=dict(dataset=dict(pipeline=target_pipeline)),
    ),
)
model = dict(
    backbone=dict(
        depth=50,
        init_cfg=dict(
            type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth'
        ),
    ),
    head=dict(codec=dict(sigma=1.0, round_centers=True)),
    statistics='both',
    teacher=dict(buffers='own'),
)
optim_wrapper = dict(optimizer=dict(lr=2.5e-4, betas=(0.9, 0.999)))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=100, by_epoch=True)]
train_cfg = dict(max_epochs=80, val_interval=80)
auto_scale_lr = dict(base_batch_size=6)
load_from = 'work_dirs/compared/animalda_official_stage1/epoch_100.pth'
