"""Stage 2: the network of stage 1 with pseudo-labels and self-distillation (Section 4.3, Algorithm 1).

Every switch of ``self_training`` and of the labels has the value of the paper, or the reading of it that the
project takes.
"""

_base_ = ['models/dual_resnet101.py', 'schedules/finetune_6e.py', 'default_runtime.py']

model = dict(
    type='SelfTrainingEstimator',
    branches=('rgb', 'depth', 'fused'),
    data_preprocessor=dict(
        _delete_=True,
        type='StreamDataPreprocessor',
        clean_view=True,
        streams=dict(
            source=dict(texture=dict(plain=_base_.texture.plain)),
            target=dict(texture=dict(plain=dict(rgb=_base_.texture.plain.rgb))),
        ),
    ),
    self_training=dict(
        label_weight=1.0,  # lambda_l
        distill_weight=0.2,  # lambda_f, printed as lambda_d in Eq. 11
        passes=2,
        label_branches=('rgb', 'depth', 'fused'),
        label_view='clean',
        teacher_momentum=0.0,
        detach_depth=True,
        clean_depth=False,
        distill_detach=None,
        distill_gated=False,
        normalize_by_accepted=False,
        statistics='target',
    ),
)
default_hooks = dict(
    pseudo_labels=dict(
        type='PseudoLabelHook',
        refresh='iter',
        labeler=dict(
            type='AveragedLabels',  # Eq. 8
            correction=dict(limits='anatomical', palm='rigid', template='source', placement='xy'),
            selector=dict(type='VarianceThreshold', epsilon=1.5),  # Eq. 9
            branches=('rgb', 'fused'),
            depth_weight=50.0,  # lambda_z
            correction_share=1.0,
            root_depth='given',
        ),
    ),
)
# Means over the window for what is noisy from step to step.
log_processor = dict(mean_pattern=r'loss|time|grad_norm|accepted|confidence|correction|drift|pose_std')
load_from = 'work_dirs/pretrain_rhd/epoch_60.pth'
