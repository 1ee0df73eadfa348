"""Stage 2 of the paper on STB (Eq. 11, Section 5.2): labelled RHD, the 15,000 training frames unlabelled."""

_base_ = ['_base_/methods/finetune.py', '_base_/targets/stb.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
