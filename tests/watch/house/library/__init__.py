"""The kernels of a small house."""
