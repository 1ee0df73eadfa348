"""FreiHAND v2, a real target: right hands, a camera for each photo, the evaluation labels of 2022."""

data_root = '{{$HAND_DATA:data}}/FreiHAND_pub_v2'
target = dict(
    train=dict(
        type='FreiHANDDataset', data_root=data_root, split='training', num_subset=15000, subset_seed=0
    ),
    test=dict(type='FreiHANDDataset', data_root=data_root, split='evaluation', test_mode=True),
)
