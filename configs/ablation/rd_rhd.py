"""Table 4, row +M(y_D): RGB and self-attended depth, no fusion, no contrast."""

_base_ = ['../pretrain_rhd.py']

model = dict(branches=('rgb', 'depth'), contrast=[])
