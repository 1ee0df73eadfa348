"""SemiHand + DM encoder (Table 2) on STB, scale ``mini``."""

_base_ = ['../../_base_/methods/mini/semihand_dm_encoder.py', '../../_base_/targets/mini/stb.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
