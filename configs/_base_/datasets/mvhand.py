"""Test photos of MVHand, read and measured as those of every target."""

_base_ = ['photos.py', '../targets/mvhand.py']

test_dataloader = dict(dataset=_base_.target.test)
