"""Stage 1 of the paper: pre-training on RHD with multi-level alignment (Eq. 7)."""

_base_ = [
    '_base_/models/dual_resnet101.py',
    '_base_/datasets/rhd.py',
    '_base_/schedules/pretrain_60e.py',
    '_base_/default_runtime.py',
]

model = dict(
    branches=('rgb', 'depth', 'fused'),
    contrast=[('rgb', 'rgb+'), ('depth', 'depth+'), ('rgb', 'fused'), ('rgb+', 'fused+')],
    contrast_weight=14.0,  # lambda_c = 0.1 times the 140 anchors of a batch, over which Eq. 3 is a sum
    loss_contrast=dict(
        type='NTXent', temperature=0.5, symmetric=False, include_positive=False, reduction='mean'
    ),
)
default_hooks = dict(checkpoint=dict(save_best='EPE', rule='less'))
