"""Table 3, row PeCLR (Spurr et al., ICCV 2021): RGB alone, a second view with a geometry of its own."""

_base_ = ['baseline_res50_rhd.py', '../_base_/peclr.py']

model = _base_.peclr
