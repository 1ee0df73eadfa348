"""Table 3, row l1 alignment, at the scale of ``small/pretrain_rhd.py``."""

_base_ = ['../pretrain_rhd.py']

model = dict(branches=('rgb', 'depth'), contrast=[], align=dict(type='FeatureAlign', weight=1.0))
