"""SemiHand + DM weak labels (Table 2) on STB at the scale ``mini``."""

_base_ = ['semihand_stb.py']

model = dict(head=dict(loss_maps=dict(depth_map_weight=50.0)))
load_from = 'work_dirs/mini/ablation/r_rhd/epoch_8.pth'
