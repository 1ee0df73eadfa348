"""Table 4, row +L_l on FreiHAND, at the scale of ``mini/finetune_freihand.py``."""

_base_ = ['../finetune_freihand.py']

model = dict(self_training=dict(distill_weight=0.0))
