"""SemiHand + DM weak labels (Table 2) on MVHand: a depth map, supervised on the source."""

_base_ = ['../_base_/methods/semihand_dm_weak.py', '../_base_/targets/mvhand.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
