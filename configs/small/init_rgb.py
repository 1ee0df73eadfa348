"""Weights to start from at this scale, in place of ImageNet's: the RGB branch alone, from random weights.

A whole training, where ``mini/init_rgb.py`` has two epochs: the finished cells of this scale start from it.
"""

_base_ = ['pretrain_rhd.py']

model = dict(branches=('rgb',), contrast=[])
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [dict(type='MultiStepLR', milestones=[12, 15], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=16, val_interval=8)
load_from = None
