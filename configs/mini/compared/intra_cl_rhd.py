"""Table 3, row Intra-CL, at the scale of ``mini/pretrain_rhd.py``."""

_base_ = ['../pretrain_rhd.py']

model = dict(branches=('rgb', 'depth'), contrast=[('rgb', 'rgb+'), ('depth', 'depth+')])
