"""Table 3, baseline with ResNet-50: RGB alone."""

_base_ = ['pretrain_res50_rhd.py']

model = dict(branches=('rgb',), contrast=[])
