"""AnimalDA on MVHand as published: ResNet-50, polynomial decay, 80 epochs."""

_base_ = ['../_base_/methods/animalda_official.py', '../_base_/targets/mvhand.py']

train_dataloader = dict(streams=dict(target=dict(dataset=_base_.target.train)))
val_dataloader = test_dataloader = dict(dataset=_base_.target.test)
