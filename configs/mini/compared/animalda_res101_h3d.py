"""AnimalDA on H3D, scale ``mini``: photos of ``mini/finetune_h3d.py``."""

_base_ = ['../../_base_/methods/mini/animalda.py', '../../_base_/targets/mini/h3d.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
