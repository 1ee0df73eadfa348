"""CC-SSL on H3D with the common network, the photos of ``finetune_h3d.py`` unlabelled."""

_base_ = ['../_base_/methods/ccssl.py', '../_base_/targets/h3d.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
