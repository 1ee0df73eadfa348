"""PeCLR on the smaller network, at the scale of ``small/compared/baseline_res50_rhd.py``."""

_base_ = ['baseline_res50_rhd.py', '../../_base_/peclr.py']

model = _base_.peclr
