"""Stage 1 of RegDA with the common network: data and schedule of ``ablation/r_rhd.py``."""

_base_ = ['../_base_/methods/pretrain_heatmaps.py', '../_base_/regda.py']

train_pipeline = [
    dict(type='LoadHandModalities', modalities=('rgb',)),
    _base_.train_pipeline[1],
    dict(type='PackHandInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(head=_base_.regda.head)
