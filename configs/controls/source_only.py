"""Control of stage 2: the pre-trained network trained on with source images alone.

At least as many steps as any fine-tuning, its learning rate, and the mild texture that stage 2 gives its
images; no target image is seen.
"""

_base_ = ['../pretrain_rhd.py']

model = dict(contrast=[])
train_dataloader = dict(batch_size=20)
optim_wrapper = dict(optimizer=dict(lr=2.5e-5))
param_scheduler = []
auto_scale_lr = dict(base_batch_size=20)
train_cfg = dict(max_epochs=3, val_interval=3)
load_from = 'work_dirs/pretrain_rhd/epoch_60.pth'
