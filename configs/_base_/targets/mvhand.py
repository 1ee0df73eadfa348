"""MVHand, a real target: four views of right hands, the last two sequences are the test."""

data_root = '{{$HAND_DATA:data}}/MVHand'
target = dict(
    train=dict(
        type='MVHandDataset',
        data_root=data_root,
        split='train',
        views=(0, 1, 2, 3),
        num_subset=15000,
        subset_seed=0,
    ),
    test=dict(type='MVHandDataset', data_root=data_root, split='test', views=(0, 1, 2, 3), test_mode=True),
)
