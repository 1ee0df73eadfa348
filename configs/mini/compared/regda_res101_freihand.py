"""RegDA on FreiHAND, scale ``mini``: photos of ``mini/finetune_freihand.py``."""

_base_ = ['../../_base_/methods/mini/regda.py', '../../_base_/targets/mini/freihand.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
