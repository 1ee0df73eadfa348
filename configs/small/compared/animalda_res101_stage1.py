"""Stage 1 of AnimalDA with the common network: data and schedule of ``small/ablation/r_rhd.py``."""

_base_ = ['../../_base_/methods/small/pretrain_heatmaps.py', '../../_base_/animalda.py']

model = dict(head=dict(num_branches=1, **_base_.animalda.head))
