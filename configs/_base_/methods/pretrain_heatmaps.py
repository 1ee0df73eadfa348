"""Network, data and schedule of ``ablation/r_rhd.py`` for a head of heat maps, which a leaf adds."""

_base_ = ['../../ablation/r_rhd.py']

model = dict(
    _delete_=True,
    type='HeatmapEstimator',
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=dict(branches=('rgb',), **_base_.model.backbone),
    head=dict(
        deconv_channels=_base_.model.head.deconv_channels,
        codec=dict(input_size=_base_.model.head.codec.input_size),
    ),
    channels_last=_base_.model.channels_last,
)
default_hooks = dict(checkpoint=dict(save_best='PCK@0.05', rule='greater'))
