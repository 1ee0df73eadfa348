"""Table 3, row Intra-/inter-CL: as Intra-CL, and RGB directly against depth."""

_base_ = ['../pretrain_rhd.py']

model = dict(branches=('rgb', 'depth'), contrast=[('rgb', 'rgb+'), ('depth', 'depth+'), ('rgb', 'depth')])
