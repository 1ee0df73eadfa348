"""Stage 2 of the paper on any target; a leaf adds which, from ``../targets``.

Weights of the losses and the gate are in ``../self_training.py``, rate and epochs in
``../schedules/finetune_6e.py``, batches and crop in ``../datasets/rhd_and_target.py``.
"""

_base_ = ['../self_training.py', '../datasets/rhd_and_target.py', '../datasets/photos.py']

val_dataloader = _base_.test_dataloader
val_evaluator = _base_.test_evaluator
