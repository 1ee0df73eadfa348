"""Pre-training of Section 5.2: Adam (0.9, 0.99), 2.5e-4 dropping at 40 and 50 of 60 epochs, batch 140."""

optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=2.5e-4, betas=(0.9, 0.99)))
param_scheduler = [dict(type='MultiStepLR', milestones=[40, 50], gamma=0.1, by_epoch=True)]
auto_scale_lr = dict(enable=False, base_batch_size=140)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=60, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
