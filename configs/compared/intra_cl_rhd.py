"""Table 3, row Intra-CL: each modality against its own augmented view."""

_base_ = ['../pretrain_rhd.py']

model = dict(branches=('rgb', 'depth'), contrast=[('rgb', 'rgb+'), ('depth', 'depth+')])
