"""Real photos of Ge et al. (CVPR 2019), a real target: left hands, each photo the crop already."""

data_root = '{{$HAND_DATA:data}}/ge_real'

test_pipeline = [
    dict(type='LoadHandModalities', modalities=('rgb',)),
    dict(type='HandCrop', input_size=(256, 256), rule='whole'),
    dict(type='PackHandInputs'),
]
test_dataloader = dict(
    batch_size=32,
    num_workers=2,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='mmdualhand.collate_hand_batch', partial_labels=True),
    dataset=dict(
        type='GeRealDataset',
        data_root=data_root,
        split='dev',
        reference_length='true',
        pipeline=test_pipeline,
    ),
)
test_evaluator = [
    dict(type='PCK', threshold=0.05),
    dict(type='EPE'),
    dict(type='AUC', low=20.0, high=50.0, steps=100),
]
