"""Weights to start from for the smaller network: ``mini/init_rgb.py`` with half the width.

ResNet-50 of Table 3 is the smaller one beside ResNet-101; at this scale, that is half the width.
"""

_base_ = ['init_rgb.py']

model = dict(backbone=dict(base_channels=8))
