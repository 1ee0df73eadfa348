"""RegDA on FreiHAND with the common network, scale ``small``: data and epochs of ``finetune_freihand.py``."""

_base_ = ['../finetune_freihand.py', '../../_base_/regda.py']

source_pipeline = [
    dict(type='LoadHandModalities', modalities=('rgb',)),
    _base_.source_pipeline[1],
    dict(type='PackHandInputs'),
]
train_dataloader = dict(streams=dict(source=dict(dataset=dict(pipeline=source_pipeline))))
first = _base_.model.head
model = dict(
    _delete_=True,
    data_preprocessor=dict(_base_.model.data_preprocessor, clean_view=False),
    backbone=dict(branches=('rgb',), **_base_.model.backbone),
    head=dict(
        deconv_channels=first.deconv_channels,
        conv_channels=first.deconv_channels[-1:],
        codec=dict(input_size=first.codec.input_size, **_base_.regda.codec),
        **_base_.regda.head,
    ),
    channels_last=_base_.model.channels_last,
    **_base_.regda.model,
)
optim_wrapper = dict(_delete_=True, **_base_.regda.optim_wrapper)
param_scheduler = _base_.regda.param_scheduler
default_hooks = dict(_delete_=True, **{k: v for k, v in _base_.default_hooks.items() if k != 'pseudo_labels'})
load_from = 'work_dirs/small/compared/regda_res101_stage1/epoch_6.pth'
