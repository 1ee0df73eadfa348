"""Table 4, row +M(y_F), at the scale of ``small/pretrain_rhd.py``."""

_base_ = ['../pretrain_rhd.py']

model = dict(contrast=[])
