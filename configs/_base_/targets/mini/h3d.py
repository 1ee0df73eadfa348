"""H3D embedded for the scale ``mini``."""

_base_ = ['../h3d.py']

data_root = '{{$HAND_DATA:data}}/mini/H3D_crop'
target = dict(train=dict(data_root=data_root), test=dict(data_root=data_root))
