"""Weights to start from at this scale, in place of ImageNet's: the RGB branch alone, from random weights."""

_base_ = ['pretrain_rhd.py']

model = dict(branches=('rgb',), contrast=[])
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [dict(type='MultiStepLR', milestones=[9, 11], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=12, val_interval=6)
load_from = None
