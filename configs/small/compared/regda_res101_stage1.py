"""Stage 1 of RegDA on the common network, scale ``small``: data and schedule of ``ablation/r_rhd.py``."""

_base_ = ['../ablation/r_rhd.py', '../../_base_/regda.py']

train_pipeline = [
    dict(type='LoadHandModalities', modalities=('rgb',)),
    _base_.train_pipeline[1],
    dict(type='PackHandInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
first = _base_.model.head
model = dict(
    _delete_=True,
    type='HeatmapEstimator',
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=dict(branches=('rgb',), **_base_.model.backbone),
    head=dict(
        deconv_channels=first.deconv_channels,
        codec=dict(input_size=first.codec.input_size, **_base_.regda.codec),
        **_base_.regda.head,
    ),
    channels_last=_base_.model.channels_last,
)
default_hooks = dict(checkpoint=dict(save_best='PCK@0.05', rule='greater'))
