"""Table 3, baseline of the smaller network: RGB alone."""

_base_ = ['pretrain_res50_rhd.py']

model = dict(branches=('rgb',), contrast=[])
