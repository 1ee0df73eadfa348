"""Table 4, row +L_l on FreiHAND: stage 2 with pseudo-labels and without self-distillation."""

_base_ = ['../finetune_freihand.py']

model = dict(self_training=dict(distill_weight=0.0))
