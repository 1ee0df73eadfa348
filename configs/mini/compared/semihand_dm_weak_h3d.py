"""SemiHand + DM weak labels (Table 2) on H3D, scale ``mini``."""

_base_ = ['../../_base_/methods/mini/semihand_dm_weak.py', '../../_base_/targets/mini/h3d.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
