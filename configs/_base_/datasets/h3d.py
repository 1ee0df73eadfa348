"""Test photos of H3D, read and measured as those of every target."""

_base_ = ['photos.py', '../targets/h3d.py']

test_dataloader = dict(dataset=_base_.target.test)
