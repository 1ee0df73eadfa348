"""The synthetic-only baseline at the scale of ``mini/pretrain_rhd.py``: RGB alone."""

_base_ = ['../pretrain_rhd.py']

model = dict(branches=('rgb',), contrast=[])
