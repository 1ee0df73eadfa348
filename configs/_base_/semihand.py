"""Parts of SemiHand (Yang et al., ICCV 2021) on the common network: an RGB network that corrects its labels.

Losses and labels are those of Section 3; ``methods/`` joins the parts to the data, the schedule and the
statistics of the other fine-tunings.
"""

semihand = dict(
    model=dict(
        branches=('rgb',),
        data_preprocessor=dict(clean_view=False),
        head=dict(loss_maps=dict(depth_map_weight=0.0)),
        self_training=dict(distill_weight=0.0, passes=1, label_branches=('rgb',), label_view='student'),
        consistency=[
            dict(type='ViewConsistencyLoss', mask_weight=1.0, depth_weight=50.0),
            dict(type='SilhouetteCircleLoss', temperature=0.5),
        ],
        consistency_weight=0.1,
        consistency_streams=('source', 'target'),
        perturbation=dict(shift=5 / 64, rotation=2.0, quarter_turns=True, choose_one=True),
    ),
    labeler=dict(
        type='SemiHandLabels',
        correction=dict(limits='none', palm='chain', template='source', placement='root'),
        selector=dict(type='SemiHandSelection', epsilon=1.5),
        update='average',
        perturbation=dict(shift=5 / 64, rotation=2.0, quarter_turns=True, choose_one=True),
        depth_weight=50.0,
        root_depth='given',
    ),
)
