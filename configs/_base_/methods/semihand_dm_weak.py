"""SemiHand + DM weak labels (Table 2), any target: a depth map, supervised on the source."""

_base_ = ['semihand.py']

model = dict(head=dict(loss_maps=dict(depth_map_weight=50.0)))
load_from = 'work_dirs/ablation/r_rhd/epoch_60.pth'
