"""Test photos of Ge et al., measured as those of every target."""

_base_ = ['photos.py', '../targets/ge_real.py']

test_pipeline = _base_.test_pipeline
test_pipeline[1] = dict(_base_.whole_crop, input_size=(256, 256))
test_dataloader = dict(
    _delete_=True, dataset=dict(_base_.target.test, pipeline=test_pipeline), **_base_.whole_loader
)
