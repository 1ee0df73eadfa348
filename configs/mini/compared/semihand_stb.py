"""SemiHand on STB, scale ``mini``: photos of ``mini/finetune_stb.py``."""

_base_ = ['../../_base_/methods/mini/semihand.py', '../../_base_/targets/mini/stb.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
