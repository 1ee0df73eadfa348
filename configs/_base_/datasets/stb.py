"""Test photos of STB, read and measured as those of every target."""

_base_ = ['photos.py', '../targets/stb.py']

test_dataloader = dict(dataset=_base_.target.test)
