"""SemiHand + DM encoder (Table 2) on H3D: a depth map and a depth encoder, supervised on the source."""

_base_ = ['../_base_/methods/semihand_dm_encoder.py', '../_base_/targets/h3d.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
