"""SemiHand + DM encoder (Table 2) on H3D at the scale ``small``."""

_base_ = ['semihand_h3d.py']

model = dict(branches=('rgb', 'depth'), head=dict(loss_maps=dict(depth_map_weight=50.0)))
load_from = 'work_dirs/small/ablation/rd_rhd/epoch_6.pth'
