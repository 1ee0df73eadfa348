"""SemiHand + DM encoder (Table 2), any target: a depth encoder, labelled on the source."""

_base_ = ['semihand.py']

model = dict(branches=('rgb', 'depth'), head=dict(loss_maps=dict(depth_map_weight=50.0)))
load_from = 'work_dirs/ablation/rd_rhd/epoch_60.pth'
