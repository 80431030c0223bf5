"""What kernels share."""

BYTES = {"bf16": 2, "fp32": 4}
