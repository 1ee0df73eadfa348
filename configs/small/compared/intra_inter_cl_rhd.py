"""Table 3, row Intra-/inter-CL, at the scale of ``small/pretrain_rhd.py``."""

_base_ = ['../pretrain_rhd.py']

model = dict(branches=('rgb', 'depth'), contrast=[('rgb', 'rgb+'), ('depth', 'depth+'), ('rgb', 'depth')])
