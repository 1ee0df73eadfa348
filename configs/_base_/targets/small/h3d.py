"""H3D embedded for the scale ``small``."""

_base_ = ['../h3d.py']

data_root = '{{$HAND_DATA:data}}/small/H3D_crop'
target = dict(train=dict(data_root=data_root), test=dict(data_root=data_root))
