"""STB embedded for the scale ``mini``."""

_base_ = ['../stb.py']

data_root = '{{$HAND_DATA:data}}/mini/STB'
target = dict(train=dict(data_root=data_root), test=dict(data_root=data_root))
