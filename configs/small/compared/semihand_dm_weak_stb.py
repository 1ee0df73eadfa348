"""SemiHand + DM weak labels (Table 2) on STB at the scale ``small``."""

_base_ = ['semihand_stb.py']

model = dict(head=dict(loss_maps=dict(depth_map_weight=50.0)))
load_from = 'work_dirs/small/ablation/r_rhd/epoch_6.pth'
