"""One epoch of the paper's pre-training with a backbone and a dataset of this package."""

_base_ = ['mmdualhand::pretrain_rhd']

size = (64, 64)
pipeline = [
    dict(type='LoadHandModalities'),
    dict(type='HandCrop', input_size=size),
    dict(type='NormalizeDepth'),
    dict(type='PackHandInputs'),
]
dataset = dict(
    _delete_=True, type='IndexedHands', data_root='{{$HAND_DATA:data}}/example_hands', pipeline=pipeline
)
loader = dict(batch_size=2, num_workers=0, persistent_workers=False, pin_memory=False)

model = dict(
    backbone=dict(
        _delete_=True,
        type='DualEncoder',
        rgb_encoder=dict(type='SeparableEncoder', in_channels=3),
        depth_encoder=dict(type='SeparableEncoder', in_channels=1),
    ),
    head=dict(deconv_channels=(32, 32, 32), codec=dict(input_size=size)),
)
train_dataloader = dict(**loader, dataset=dict(**dataset, split='train'))
val_dataloader = dict(**loader, dataset=dict(**dataset, split='val'))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=1)
