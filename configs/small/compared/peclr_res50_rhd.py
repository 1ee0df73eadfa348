"""PeCLR on the smaller network, at the scale of ``small/compared/baseline_res50_rhd.py``."""

_base_ = ['baseline_res50_rhd.py']

model = dict(
    contrast=[('rgb', 'rgb+')],
    loss_contrast=dict(symmetric=True, include_positive=True),
    projector=dict(last_bias=False),
    view_perturbation=dict(rotation=45.0, shift=15 / 128, scale=(0.8, 1.2)),
)
