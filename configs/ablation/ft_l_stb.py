"""Table 4, row +L_l on STB: stage 2 with pseudo-labels and without self-distillation."""

_base_ = ['../finetune_stb.py']

model = dict(self_training=dict(distill_weight=0.0))
