"""Networks for use without this package: ONNX, TorchScript, and what runs them."""
