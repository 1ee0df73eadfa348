"""H3D, a real target: the crops of the RegDA authors, frames without an object, their seeded split."""

data_root = '{{$HAND_DATA:data}}/H3D_crop'
target = dict(
    train=dict(type='H3DDataset', data_root=data_root, split='train', without_object=True),
    test=dict(type='H3DDataset', data_root=data_root, split='test', without_object=True, test_mode=True),
)
