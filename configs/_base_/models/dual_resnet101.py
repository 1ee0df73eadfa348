"""The paper's network: two ResNet-101 joined by depth attention, one decoder (Sections 3 and 5.2)."""

texture = dict(
    plain=dict(
        rgb=dict(
            brightness=0.2,
            contrast=0.2,
            saturation=0.2,
            hue=0.03,
            channel_gain=0.05,
            noise_prob=0.5,
            noise_sigma=(0.0, 3.0),
        ),
        depth=dict(
            noise_prob=0.5,
            noise_sigma=(0.0, 0.02),
            offset=0.03,
            silhouette_prob=0.2,
            silhouette_px=(1, 1),
        ),
    ),
    augmented=dict(
        rgb=dict(
            brightness=0.4,
            contrast=0.4,
            saturation=0.4,
            hue=0.1,
            channel_gain=0.2,
            grey_prob=0.1,
            blur_prob=0.3,
            blur_sigma=(0.1, 2.0),
            noise_prob=1.0,
            noise_sigma=(0.0, 10.0),
            erase_prob=0.3,
            erase_area=(0.02, 0.16),
        ),
        depth=dict(
            noise_prob=1.0,
            noise_sigma=(0.02, 0.05),
            offset=0.1,
            blur_prob=0.3,
            blur_sigma=(0.1, 2.0),
            hole_prob=1.0,
            hole_count=(1, 4),
            hole_area=(0.02, 0.10),
            silhouette_prob=1.0,
            silhouette_px=(1, 3),
            quantise_prob=1.0,
            low_resolution=0.0,
        ),
    ),
)
model = dict(
    type='DualModalityEstimator',
    data_preprocessor=dict(
        type='HandDataPreprocessor',
        mean=(123.675, 116.28, 103.53),
        std=(58.395, 57.12, 57.375),
        texture=texture,
    ),
    backbone=dict(
        type='DualResNet',
        depth=101,
        base_channels=64,
        attention=dict(type='DepthAttention'),
        init_cfg=dict(
            type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet101-63fe2227.pth'
        ),
    ),
    head=dict(
        type='MultiModal2.5DHead',
        deconv_channels=(256, 256, 256),
        codec=dict(type='Pose25D', input_size=(256, 256), init_beta=10.0),
        loss_pose=dict(type='PoseDist', depth_weight=50.0),  # lambda_z, inside ell
        loss_maps=dict(type='MultiModalL1', mask_weight=100.0, depth_map_weight=50.0),  # lambda_m, lambda_d
    ),
    projector=dict(type='ProjectionHead', hidden_channels=512, out_channels=128),
    bn_groups='separate',  # why: docs/self_training.md, as for the next line
    predicted_depth=0.5,
    channels_last=True,
    test_cfg=dict(branches=('rgb',)),
)
