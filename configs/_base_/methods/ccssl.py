"""CC-SSL with the common network, any target: data and schedule of ``finetune.py``."""

_base_ = ['finetune_heatmaps.py', '../ccssl.py']

target_pipeline = [*_base_.target_pipeline, dict(type='LoadPseudoLabel')]
train_dataloader = dict(streams=dict(target=dict(dataset=dict(pipeline=target_pipeline))))
model = dict(head=_base_.ccssl.head, **_base_.ccssl.model)
default_hooks = dict(pseudo_labels=_base_.ccssl.pseudo_labels)
load_from = 'work_dirs/compared/ccssl_res101_stage1/epoch_60.pth'
