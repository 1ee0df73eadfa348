"""Parts of AnimalDA (Li and Lee, CVPR 2021): a refining network, its teacher and its pseudo-labels.

Numbers of epochs are those of 80 and are stretched to the length of the run. ``methods/`` joins the parts
to the common network, its data and its schedule.
"""

animalda = dict(
    head=dict(
        type='RefineHeatmapHead',
        blocks=(3, 2, 1, 0),
        loss=dict(type='KeypointMSELoss'),
        codec=dict(type='Heatmap', sigma=2.0, quarter_shift=True),
    ),
    model=dict(
        type='HeatmapSelfTrainingEstimator',
        label_weight=dict(form='cosine_rampdown', unit='epoch', total=80, high=15.0, low=8.0, length=15),
        loss_label=dict(
            type='KeypointCurriculumMSELoss',
            top_k=dict(form='linear', unit='epoch', total=80, start=21.0, slope=-1.0, begin=2, low=10.0),
        ),
        consistency=dict(
            type='RefinementConsistency',
            inner_weight=dict(form='sigmoid_rampup', unit='epoch', total=80, high=90.0, length=10),
            outer_weight=dict(form='sigmoid_rampup', unit='epoch', total=80, high=90.0, length=10),
            agreement_weight=0.01,
            loss_inner=dict(
                type='KeypointCurriculumMSELoss',
                top_k=dict(form='linear', unit='epoch', total=80, start=21.0, slope=-1.0, begin=2, low=10.0),
            ),
        ),
        perturbation=dict(rotation=45.0),
        teacher=dict(momentum=0.999, warm_up=True, buffers='copy'),
        mixup=dict(type='DomainMixup', alpha=0.8, cross_prob=0.5),
        domain_weight=5e-4,
        statistics='target',
        test_network='teacher',
    ),
    discriminator=dict(type='DomainDiscriminatorHead', reversal=dict(form='dann')),
    pseudo_labels=dict(
        type='PseudoLabelHook',
        refresh='epoch',
        interval=1000,  # once
        labeler=dict(
            type='EquivariantHeatmapLabeler',
            num_views=5,
            rotation=30.0,
            max_rotation=60.0,
            scale=0.25,
            flip=False,
            selector=dict(type='CurriculumQuantile', schedule=[(0, 0.4)]),
        ),
    ),
)
