"""RegDA on STB as published: 30 epochs of 500 steps, batches of 32, its own augmentation."""

_base_ = ['../_base_/methods/regda_official.py', '../_base_/targets/stb.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
