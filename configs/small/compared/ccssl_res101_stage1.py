"""Stage 1 of CC-SSL with the common network: data and schedule of ``small/ablation/r_rhd.py``."""

_base_ = ['../../_base_/methods/small/pretrain_heatmaps.py', '../../_base_/ccssl.py']

model = dict(head=_base_.ccssl.head)
