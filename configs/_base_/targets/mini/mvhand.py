"""MVHand embedded for the scale ``mini``."""

_base_ = ['../mvhand.py']

data_root = '{{$HAND_DATA:data}}/mini/MVHand'
target = dict(train=dict(data_root=data_root), test=dict(data_root=data_root))
