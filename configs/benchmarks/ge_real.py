"""Real photos of Ge et al. (CVPR 2019): data and metrics only, the checkpoint brings the network."""

_base_ = ['../_base_/datasets/ge_real.py', '../_base_/default_runtime.py']

test_cfg = dict(type='TestLoop')
