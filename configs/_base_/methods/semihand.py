"""SemiHand with the common network, any target: data and schedule of ``finetune.py``."""

_base_ = ['finetune.py', '../semihand.py']

target_pipeline = [*_base_.target_pipeline, dict(type='LoadPseudoLabel')]
train_dataloader = dict(streams=dict(target=dict(dataset=dict(pipeline=target_pipeline))))
model = _base_.semihand.model
default_hooks = dict(
    pseudo_labels=dict(refresh='epoch', interval=1, labeler=dict(_base_.semihand.labeler, _delete_=True)),
    circle_radii=dict(type='CircleRadiiHook'),
)
load_from = 'work_dirs/compared/semihand_stage1/epoch_60.pth'
