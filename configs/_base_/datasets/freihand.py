"""Test photos of FreiHAND, read and measured as those of every target."""

_base_ = ['photos.py', '../targets/freihand.py']

test_dataloader = dict(dataset=_base_.target.test)
