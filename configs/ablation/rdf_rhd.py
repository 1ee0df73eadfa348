"""Table 4, row +M(y_F): all three branches, no contrast."""

_base_ = ['../pretrain_rhd.py']

model = dict(contrast=[])
