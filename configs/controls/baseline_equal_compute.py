"""Control of the whole method: the RGB baseline trained as long as pre-training and one fine-tuning take.

A step of pre-training takes 5.5 times the arithmetic of a step of the RGB branch alone (397.5 and 72.7 GFLOP
a sample, forward and backward), one fine-tuning adds about a tenth.
"""

_base_ = ['../ablation/r_rhd.py']

param_scheduler = [dict(type='MultiStepLR', milestones=[240, 300], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=360, val_interval=30)
