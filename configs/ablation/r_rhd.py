"""Table 4, row M(y_R): the synthetic-only baseline, RGB alone."""

_base_ = ['../pretrain_rhd.py']

model = dict(branches=('rgb',), contrast=[])
