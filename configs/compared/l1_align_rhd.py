"""Table 3, row l1 alignment: the RGB encoder's feature maps follow the depth encoder's."""

_base_ = ['../pretrain_rhd.py']

model = dict(branches=('rgb', 'depth'), contrast=[], align=dict(type='FeatureAlign', weight=1.0))
