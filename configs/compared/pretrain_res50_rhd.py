"""Table 3, last row: the paper's pre-training with ResNet-50."""

_base_ = ['../pretrain_rhd.py']

model = dict(
    backbone=dict(
        depth=50,
        init_cfg=dict(
            type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth'
        ),
    )
)
