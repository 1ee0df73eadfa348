"""Parts of PeCLR (Spurr et al., ICCV 2021): RGB alone, a second view with a geometry of its own."""

peclr = dict(
    contrast=[('rgb', 'rgb+')],
    loss_contrast=dict(symmetric=True, include_positive=True),
    projector=dict(last_bias=False),
    view_perturbation=dict(rotation=45.0, shift=15 / 128, scale=(0.8, 1.2)),
)
