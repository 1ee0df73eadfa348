"""Stage 1 of CC-SSL with the common network: data and schedule of ``ablation/r_rhd.py``."""

_base_ = ['../_base_/methods/pretrain_heatmaps.py', '../_base_/ccssl.py']

model = dict(head=_base_.ccssl.head)
