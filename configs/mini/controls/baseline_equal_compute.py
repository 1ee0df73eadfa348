"""Control: ``mini/ablation/r_rhd.py`` trained as long as pre-training and one fine-tuning take.

A step of the RGB branch alone takes about a third of the time of a step of pre-training on two cores.
"""

_base_ = ['../ablation/r_rhd.py']

param_scheduler = [dict(type='MultiStepLR', milestones=[22, 27], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=30, val_interval=10)
