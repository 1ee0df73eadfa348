"""Weights to start from at this scale, in place of ImageNet's: the RGB branch alone.

Two epochs from random weights: stage 1 then begins with features, and not with the finished task.
"""

_base_ = ['pretrain_rhd.py']

model = dict(branches=('rgb',), contrast=[])
param_scheduler = []
train_cfg = dict(max_epochs=2, val_interval=2)
load_from = None
