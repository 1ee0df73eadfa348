"""CC-SSL on FreiHAND, scale ``small``: photos of ``small/finetune_freihand.py``."""

_base_ = ['../../_base_/methods/small/ccssl.py', '../../_base_/targets/small/freihand.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
