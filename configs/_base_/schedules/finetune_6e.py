"""Fine-tuning of Section 5.2: Adam (0.9, 0.99), 2.5e-5, 6 epochs of the target, batches of 20 (20 + 20)."""

optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=2.5e-5, betas=(0.9, 0.99)))
param_scheduler = []
auto_scale_lr = dict(enable=False, base_batch_size=20)
train_cfg = dict(type='StreamTrainLoop', max_epochs=6, val_interval=6)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
