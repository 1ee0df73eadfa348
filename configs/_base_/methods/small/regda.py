"""RegDA with the common network, any target, scale ``small``: data and epochs of ``finetune.py``."""

_base_ = ['finetune_heatmaps.py', '../../regda.py']

source_pipeline = [
    dict(type='LoadHandModalities', modalities=('rgb',)),
    _base_.source_pipeline[1],
    dict(type='PackHandInputs'),
]
train_dataloader = dict(streams=dict(source=dict(dataset=dict(pipeline=source_pipeline))))
model = dict(
    data_preprocessor=dict(clean_view=False),
    head=dict(conv_channels=_base_.model.head.deconv_channels[-1:], **_base_.regda.head),
    **_base_.regda.model,
)
optim_wrapper = dict(_delete_=True, **_base_.regda.optim_wrapper)
param_scheduler = _base_.regda.param_scheduler
load_from = 'work_dirs/small/compared/regda_res101_stage1/epoch_6.pth'
