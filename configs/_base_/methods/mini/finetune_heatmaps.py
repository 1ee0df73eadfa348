"""Network, data and schedule of ``finetune.py`` for heat maps: no model and no labels of the paper."""

_base_ = ['finetune.py']

model = dict(
    _delete_=True,
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=dict(branches=('rgb',), **_base_.model.backbone),
    head=dict(
        deconv_channels=_base_.model.head.deconv_channels,
        codec=dict(input_size=_base_.model.head.codec.input_size),
    ),
    channels_last=_base_.model.channels_last,
)
default_hooks = dict(_delete_=True, **{k: v for k, v in _base_.default_hooks.items() if k != 'pseudo_labels'})
