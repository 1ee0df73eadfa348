"""Table 4, row +L_l on STB, at the scale of ``small/finetune_stb.py``."""

_base_ = ['../finetune_stb.py']

model = dict(self_training=dict(distill_weight=0.0))
