"""SemiHand on STB, scale ``small``: photos of ``small/finetune_stb.py``."""

_base_ = ['../../_base_/methods/small/semihand.py', '../../_base_/targets/small/stb.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
