"""CC-SSL on H3D, common network: data and schedule of ``small/finetune_h3d.py``."""

_base_ = ['../finetune_h3d.py', '../../_base_/ccssl.py']

target_pipeline = [*_base_.target_pipeline, dict(type='LoadPseudoLabel')]
train_dataloader = dict(streams=dict(target=dict(dataset=dict(pipeline=target_pipeline))))
model = dict(
    _delete_=True,
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=dict(branches=('rgb',), **_base_.model.backbone),
    head=dict(
        deconv_channels=_base_.model.head.deconv_channels,
        codec=dict(input_size=_base_.model.head.codec.input_size, **_base_.ccssl.codec),
        **_base_.ccssl.head,
    ),
    channels_last=_base_.model.channels_last,
    **_base_.ccssl.model,
)
default_hooks = dict(pseudo_labels=dict(_delete_=True, **_base_.ccssl.pseudo_labels))
load_from = 'work_dirs/small/compared/ccssl_res101_stage1/epoch_6.pth'
