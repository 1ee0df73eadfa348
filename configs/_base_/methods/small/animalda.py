"""AnimalDA with the common network, any target, scale ``small``: data and schedule of ``finetune.py``."""

_base_ = ['finetune_heatmaps.py', '../../animalda.py']

target_pipeline = [*_base_.target_pipeline, dict(type='LoadPseudoLabel')]
train_dataloader = dict(streams=dict(target=dict(dataset=dict(pipeline=target_pipeline))))
model = dict(
    head=dict(num_branches=2, **_base_.animalda.head),
    discriminator=dict(channels=(16, 32, 64), **_base_.animalda.discriminator),
    **_base_.animalda.model,
)
default_hooks = dict(pseudo_labels=_base_.animalda.pseudo_labels)
load_from = 'work_dirs/small/compared/animalda_res101_stage1/epoch_6.pth'
