"""SemiHand + DM weak labels (Table 2), any target, scale ``small``: a depth map, supervised on the source."""

_base_ = ['semihand.py']

model = dict(head=dict(loss_maps=dict(depth_map_weight=50.0)))
load_from = 'work_dirs/small/ablation/r_rhd/epoch_6.pth'
