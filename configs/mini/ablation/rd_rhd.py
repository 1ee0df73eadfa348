"""Table 4, row +M(y_D), at the scale of ``mini/pretrain_rhd.py``."""

_base_ = ['../pretrain_rhd.py']

model = dict(branches=('rgb', 'depth'), contrast=[])
