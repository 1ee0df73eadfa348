"""How photos of a real target are read and measured; ``../targets`` says which photos."""

test_pipeline = [
    dict(type='LoadHandModalities', modalities=('rgb',)),
    dict(type='HandCrop', input_size=(256, 256), rule='keypoints', scale=1.5),
    dict(type='PackHandInputs'),
]
test_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='mmdualhand.collate_hand_batch'),
    dataset=dict(pipeline=test_pipeline),
)
test_evaluator = [
    dict(type='PCK', threshold=0.05),
    dict(type='EPE'),
    dict(type='AUC', low=20.0, high=50.0, steps=100),
]
