"""Control: ``small/ablation/r_rhd.py`` trained as long as pre-training and one fine-tuning take."""

_base_ = ['../ablation/r_rhd.py']

param_scheduler = [dict(type='MultiStepLR', milestones=[17, 20], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=23, val_interval=23)
