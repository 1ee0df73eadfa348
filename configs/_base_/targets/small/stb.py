"""STB embedded for the scale ``small``."""

_base_ = ['../stb.py']

data_root = '{{$HAND_DATA:data}}/small/STB'
target = dict(train=dict(data_root=data_root), test=dict(data_root=data_root))
