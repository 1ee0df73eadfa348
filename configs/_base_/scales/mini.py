"""The network and the pictures of the scales ``mini`` and ``small``: small enough for two processor cores."""

input_size = (96, 96)
network = dict(
    backbone=dict(depth=18, base_channels=16, init_cfg=None),
    head=dict(deconv_channels=(64, 64, 64), codec=dict(input_size=input_size)),
)
