"""Stage 1 of SemiHand at the scale of ``small/pretrain_rhd.py``: RGB alone, pose and mask, no depth map."""

_base_ = ['../pretrain_rhd.py']

model = dict(branches=('rgb',), contrast=[], head=dict(loss_maps=dict(depth_map_weight=0.0)))
