"""FreiHAND embedded for the scale ``mini``."""

_base_ = ['../freihand.py']

data_root = '{{$HAND_DATA:data}}/mini/FreiHAND_pub_v2'
target = dict(train=dict(data_root=data_root), test=dict(data_root=data_root))
