"""RHD, the labelled synthetic source: RGB, depth and mask, both hands, one sample a usable hand."""

data_root = '{{$HAND_DATA:data}}/RHD_published_v2'
selection = dict(min_visible=17, min_crop_side=64.0, max_overlap=0.3)
augment = dict(rotation=45.0, scale=(0.8, 1.2), translation=0.1, prob=0.8)

train_pipeline = [
    dict(type='LoadHandModalities', modalities=('rgb', 'depth', 'mask')),
    dict(type='HandCrop', input_size=(256, 256), rule='keypoints', scale=1.5, augment=augment),
    dict(type='NormalizeDepth', half_range=3.0),
    dict(type='PackHandInputs'),
]
test_pipeline = [
    dict(type='LoadHandModalities', modalities=('rgb', 'depth', 'mask')),
    dict(type='HandCrop', input_size=(256, 256), rule='keypoints', scale=1.5),
    dict(type='NormalizeDepth', half_range=3.0),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(
    batch_size=140,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='mmdualhand.collate_hand_batch'),
    dataset=dict(
        type='RHDDataset',
        data_root=data_root,
        split='training',
        selection=selection,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='mmdualhand.collate_hand_batch'),
    dataset=dict(
        type='RHDDataset',
        data_root=data_root,
        split='evaluation',
        test_mode=True,
        selection=selection,
        pipeline=test_pipeline,
    ),
)
val_evaluator = [
    dict(type='PCK', threshold=0.05),
    dict(type='EPE'),
    dict(type='AUC', low=20.0, high=50.0, steps=100),
]
test_dataloader = val_dataloader
test_evaluator = val_evaluator
