"""SemiHand on FreiHAND as published: two hourglasses, input and maps of 64 px, its own schedule."""

_base_ = ['../_base_/methods/semihand_official.py', '../_base_/targets/freihand.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
