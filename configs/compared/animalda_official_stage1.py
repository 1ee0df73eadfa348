"""Stage 1 of AnimalDA as published: ResNet-50, its own augmentation and schedule."""

_base_ = ['animalda_res101_stage1.py']

train_pipeline = _base_.train_pipeline
train_pipeline[1]['augment'] = dict(rotation=30.0, scale=(0.5, 1.5), translation=0.05, prob=0.5)
train_dataloader = dict(batch_size=6, dataset=dict(pipeline=train_pipeline))
model = dict(
    backbone=dict(
        depth=50,
        init_cfg=dict(
            type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth'
        ),
    ),
    head=dict(codec=dict(sigma=1.0, round_centers=True)),
)
optim_wrapper = dict(optimizer=dict(betas=(0.9, 0.999)))
param_scheduler = [dict(type='MultiStepLR', milestones=[60, 90], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=100, val_interval=10)
auto_scale_lr = dict(base_batch_size=6)
