"""``mini/finetune_h3d.py`` on more pictures: at most four minutes on two cores."""

_base_ = ['../_base_/methods/small/finetune.py', '../_base_/targets/small/h3d.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
