"""Stage 2 of the paper on FreiHAND (Eq. 11, Section 5.2): labelled RHD, 15,000 training photos unlabelled."""

_base_ = ['_base_/methods/finetune.py', '_base_/targets/freihand.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
