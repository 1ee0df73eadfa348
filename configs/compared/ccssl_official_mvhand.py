"""CC-SSL on MVHand as published: four hourglasses, RMSprop, labels every ten of 60 epochs."""

_base_ = ['../_base_/methods/ccssl_official.py', '../_base_/targets/mvhand.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
