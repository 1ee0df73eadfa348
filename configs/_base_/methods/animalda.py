"""AnimalDA with the common network, any target: data and schedule of ``finetune.py``."""

_base_ = ['finetune_heatmaps.py', '../animalda.py']

target_pipeline = [*_base_.target_pipeline, dict(type='LoadPseudoLabel')]
train_dataloader = dict(streams=dict(target=dict(dataset=dict(pipeline=target_pipeline))))
model = dict(
    head=dict(num_branches=2, **_base_.animalda.head),
    discriminator=dict(channels=(64, 128, 256, 512, 1024), **_base_.animalda.discriminator),
    **_base_.animalda.model,
)
default_hooks = dict(pseudo_labels=_base_.animalda.pseudo_labels)
load_from = 'work_dirs/compared/animalda_res101_stage1/epoch_60.pth'
