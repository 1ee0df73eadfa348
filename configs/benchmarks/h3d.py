"""Test frames of H3D: data and metrics only, the checkpoint brings the network."""

_base_ = ['../_base_/datasets/h3d.py', '../_base_/default_runtime.py']

test_cfg = dict(type='TestLoop')
