"""SemiHand on STB: labelled RHD, the photos of ``finetune_stb.py`` unlabelled."""

_base_ = ['../_base_/methods/semihand.py', '../_base_/targets/stb.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
