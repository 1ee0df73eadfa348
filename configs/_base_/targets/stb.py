"""STB, a real target: RealSense colour stream, left hands, B1 is the test."""

data_root = '{{$HAND_DATA:data}}/STB'
target = dict(
    train=dict(type='STBDataset', data_root=data_root, split='train', stream='SK', wrist='2p-r'),
    test=dict(
        type='STBDataset', data_root=data_root, split='test', stream='SK', wrist='2p-r', test_mode=True
    ),
)
