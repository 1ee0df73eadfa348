"""CC-SSL on MVHand, scale ``mini``: photos of ``mini/finetune_mvhand.py``."""

_base_ = ['../../_base_/methods/mini/ccssl.py', '../../_base_/targets/mini/mvhand.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
