"""``finetune_stb.py`` for two processor cores: a small network, small pictures, a quantile as gate."""

_base_ = ['../_base_/methods/mini/finetune.py', '../_base_/targets/mini/stb.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
