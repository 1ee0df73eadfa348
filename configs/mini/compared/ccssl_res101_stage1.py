"""Stage 1 of CC-SSL with the common network: data and schedule of ``mini/ablation/r_rhd.py``."""

_base_ = ['../../_base_/methods/mini/pretrain_heatmaps.py', '../../_base_/ccssl.py']

model = dict(head=_base_.ccssl.head)
