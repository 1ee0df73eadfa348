"""Table 3, last row: ``mini/pretrain_rhd.py`` with half the width, as ``mini/init_rgb_res50.py``."""

_base_ = ['../pretrain_rhd.py']

model = dict(backbone=dict(base_channels=8))
load_from = 'work_dirs/mini/init_rgb_res50/epoch_2.pth'
