"""SemiHand with the common network, any target, scale ``small``: data and schedule of ``finetune.py``."""

_base_ = ['finetune.py', '../../semihand.py']

target_pipeline = [*_base_.target_pipeline, dict(type='LoadPseudoLabel')]
train_dataloader = dict(streams=dict(target=dict(dataset=dict(pipeline=target_pipeline))))
model = _base_.semihand.model
default_hooks = dict(
    pseudo_labels=dict(
        refresh='epoch',
        interval=1,
        # The gate is that of the scale: a quantile.
        labeler=dict(
            _base_.semihand.labeler,
            _delete_=True,
            selector=_base_.default_hooks.pseudo_labels.labeler.selector,
        ),
    ),
    circle_radii=dict(type='CircleRadiiHook'),
)
load_from = 'work_dirs/small/compared/semihand_stage1/epoch_6.pth'
