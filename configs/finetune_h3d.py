"""Stage 2 of the paper on H3D (Eq. 11, Section 5.2): labelled RHD, training frames unlabelled."""

_base_ = ['_base_/methods/finetune.py', '_base_/targets/h3d.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
