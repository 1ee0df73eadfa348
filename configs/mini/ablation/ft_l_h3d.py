"""Table 4, row +L_l on H3D, at the scale of ``mini/finetune_h3d.py``."""

_base_ = ['../finetune_h3d.py']

model = dict(self_training=dict(distill_weight=0.0))
