"""Real photos of Ge et al. (CVPR 2019), a real target: left hands, each photo the crop already.

They are few, only partly labelled and not cut by their joints, so that they bring a crop and a loader
of their own.
"""

data_root = '{{$HAND_DATA:data}}/ge_real'
target = dict(
    train=dict(
        type='GeRealDataset', data_root=data_root, split='train', reference_length='dataset', test_mode=False
    ),
    test=dict(type='GeRealDataset', data_root=data_root, split='dev', reference_length='true'),
)
whole_crop = dict(type='HandCrop', rule='whole')
whole_loader = dict(
    batch_size=32,
    num_workers=2,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='mmdualhand.collate_hand_batch', partial_labels=True),
)
