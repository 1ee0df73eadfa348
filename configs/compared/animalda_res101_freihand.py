"""AnimalDA on FreiHAND, common network: data and schedule of ``finetune_freihand.py``."""

_base_ = ['../finetune_freihand.py', '../_base_/animalda.py']

target_pipeline = [*_base_.target_pipeline, dict(type='LoadPseudoLabel')]
train_dataloader = dict(streams=dict(target=dict(dataset=dict(pipeline=target_pipeline))))
model = dict(
    _delete_=True,
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=dict(branches=('rgb',), **_base_.model.backbone),
    head=dict(
        deconv_channels=_base_.model.head.deconv_channels,
        codec=dict(input_size=_base_.model.head.codec.input_size, **_base_.animalda.codec),
        num_branches=2,
        **_base_.animalda.head,
    ),
    discriminator=dict(channels=(64, 128, 256, 512, 1024), **_base_.animalda.discriminator),
    channels_last=_base_.model.channels_last,
    **_base_.animalda.model,
)
default_hooks = dict(pseudo_labels=dict(_delete_=True, **_base_.animalda.pseudo_labels))
load_from = 'work_dirs/compared/animalda_res101_stage1/epoch_60.pth'
