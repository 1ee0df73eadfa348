"""Control: ``mini/pretrain_rhd.py`` trained on with source images alone, for the steps of a fine-tuning."""

_base_ = ['../pretrain_rhd.py']

model = dict(contrast=[])
optim_wrapper = dict(optimizer=dict(lr=3e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[1], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=2, val_interval=2)
load_from = 'work_dirs/mini/pretrain_rhd/epoch_8.pth'
