"""CC-SSL on H3D as published: four hourglasses, RMSprop, labels every ten of 60 epochs."""

_base_ = ['../_base_/methods/ccssl_official.py', '../_base_/targets/h3d.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
