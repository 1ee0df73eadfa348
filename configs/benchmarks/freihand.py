"""Evaluation photos of FreiHAND: data and metrics only, the checkpoint brings the network."""

_base_ = ['../_base_/datasets/freihand.py', '../_base_/default_runtime.py']

test_cfg = dict(type='TestLoop')
