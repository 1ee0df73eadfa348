"""RegDA on any target, as published: epochs of 500 steps, batches of 32, its own labels and augmentation."""

_base_ = ['regda.py']

source_pipeline = _base_.source_pipeline
source_pipeline[1]['augment'] = _base_.regda.official.augment
target_pipeline = _base_.target_pipeline
target_pipeline[1]['augment'] = _base_.regda.official.augment
train_dataloader = dict(
    batch_size=32,
    streams=dict(
        source=dict(dataset=dict(pipeline=source_pipeline)),
        target=dict(dataset=dict(pipeline=target_pipeline)),
    ),
)
model = dict(
    data_preprocessor=dict(
        streams=dict(
            source=dict(texture=dict(plain=dict(rgb=dict(_delete_=True, **_base_.regda.official.rgb)))),
            target=dict(texture=dict(plain=dict(rgb=dict(_delete_=True, **_base_.regda.official.rgb)))),
        ),
    ),
    head=dict(codec=_base_.regda.official.codec),
    pseudo_target=dict(require_positive=True),
    visible_only=True,
)
train_cfg = dict(max_epochs=30, epoch_length=500, val_interval=30)
auto_scale_lr = dict(base_batch_size=32)
load_from = 'work_dirs/compared/regda_official_stage1/epoch_70.pth'
