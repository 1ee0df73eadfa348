"""Parts of CC-SSL (Mu et al., CVPR 2020): a network of heat maps, and its pseudo-labels.

``methods/`` joins them to the common network, its data and its schedule.
"""

ccssl = dict(
    head=dict(
        type='HeatmapHead',
        loss=dict(type='KeypointMSELoss'),
        codec=dict(type='Heatmap', sigma=2.0, quarter_shift=True),
    ),
    model=dict(
        type='HeatmapSelfTrainingEstimator',
        label_weight=10.0,
        loss_label=dict(type='KeypointMSELoss'),
        statistics='target',
    ),
    pseudo_labels=dict(
        type='PseudoLabelHook',
        refresh='epoch',
        interval=1,
        labeler=dict(
            type='EquivariantHeatmapLabeler',
            num_views=5,
            rotation=30.0,
            max_rotation=60.0,
            scale=0.25,
            flip=False,
            selector=dict(type='CurriculumQuantile', schedule=[(0, 0.2), (0.5, 0.8)]),
        ),
    ),
)
