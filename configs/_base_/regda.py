"""Parts of RegDA (Jiang et al., CVPR 2021): heads, optimisers and the warm start of the adversarial gradient.

Numbers of steps are those of 15,000 and are stretched to the length of the run. ``methods/`` joins the parts
to the common network, its data and its epochs.
"""

regda = dict(
    head=dict(
        type='HeatmapHead',
        loss=dict(type='KeypointKLDivLoss'),
        codec=dict(type='Heatmap', sigma=2.0, quarter_shift=True, score='mass'),
    ),
    model=dict(
        type='RegDAEstimator',
        margin=4.0,  # gamma
        trade_off=1.0,  # eta
        gradient_scale=dict(
            type='GradientScale',
            sign=1,
            schedule=dict(
                form='warm_start', unit='iter', total=15000, high=0.1, low=0.0, alpha=1.0, length=1000
            ),
        ),
        pseudo_target=dict(type='HeatmapPseudoTarget', sigma=2.0, require_positive=False),
        loss_disparity=dict(type='KeypointKLDivLoss', epsilon=1e-7),
    ),
    optim_wrapper=dict(
        constructor='PartsOptimWrapperConstructor',
        type='OptimWrapper',
        optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True),
        parts=dict(
            feature=dict(modules=('backbone', 'head.deconv'), lr_mult=0.1),
            head=dict(modules=('head',)),
            head_adv=dict(modules=('head_adv',)),
        ),
    ),
    param_scheduler=[dict(type='InverseDecayLR', gamma=1e-4, power=0.75, total=15000, by_epoch=False)],
    # Labels and augmentation of the authors' code. It draws the area of the crop, 0.6 to 1.3 of that of the
    # box, again where it is larger than the box: 0.775 to 1 of its side, anywhere in it (0.08 either way).
    official=dict(
        codec=dict(round_centers=True, quarter_shift=False),
        augment=dict(rotation=180.0, scale=(0.775, 1.0), translation=0.08, prob=1.0),
        rgb=dict(brightness=0.25, contrast=0.25, saturation=0.25, blur_prob=1.0, blur_sigma=(0.0, 0.8)),
    ),
)
