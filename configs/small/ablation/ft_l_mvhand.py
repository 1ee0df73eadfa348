"""Table 4, row +L_l on MVHand, at the scale of ``small/finetune_mvhand.py``."""

_base_ = ['../finetune_mvhand.py']

model = dict(self_training=dict(distill_weight=0.0))
