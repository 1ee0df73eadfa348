"""SemiHand + DM encoder (Table 2) on MVHand, scale ``small``."""

_base_ = ['../../_base_/methods/small/semihand_dm_encoder.py', '../../_base_/targets/small/mvhand.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
