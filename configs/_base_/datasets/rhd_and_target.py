"""Two streams of stage 2: RHD with labels, and photos of a target without; ``../targets`` says which."""

source_root = '{{$HAND_DATA:data}}/RHD_published_v2'
selection = dict(min_visible=17, min_crop_side=64.0, max_overlap=0.3)
augment = dict(rotation=45.0, scale=(0.8, 1.2), translation=0.1, prob=0.8)

source_pipeline = [
    dict(type='LoadHandModalities', modalities=('rgb', 'depth', 'mask')),
    dict(type='HandCrop', input_size=(256, 256), rule='keypoints', scale=1.5, augment=augment),
    dict(type='NormalizeDepth', half_range=3.0),
    dict(type='PackHandInputs'),
]
target_pipeline = [
    dict(type='LoadHandModalities', modalities=('rgb',)),
    dict(type='HandCrop', input_size=(256, 256), rule='keypoints', scale=1.5, augment=augment),
    dict(type='DropLabels'),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(
    batch_size=20,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    collate_fn=dict(type='mmdualhand.collate_hand_batch'),
    driver='target',
    streams=dict(
        source=dict(
            dataset=dict(
                type='RHDDataset',
                data_root=source_root,
                split='training',
                selection=selection,
                pipeline=source_pipeline,
            ),
        ),
        target=dict(dataset=dict(pipeline=target_pipeline)),
    ),
)
