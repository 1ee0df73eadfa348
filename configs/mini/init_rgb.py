"""Weights to start from at this scale, in place of ImageNet's: the RGB branch after two epochs.

Few, so that stage 1 begins with features and not, as after a whole training, with the finished task.
"""

_base_ = ['pretrain_rhd.py']

model = dict(branches=('rgb',), contrast=[])
param_scheduler = []
train_cfg = dict(max_epochs=2, val_interval=2)
load_from = None
