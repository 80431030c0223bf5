"""Clipping under loss scaling: the gradient's norm that the optimizer sees, clipped before and after the scale is divided out.

    after:   min(g, c)                 before:   min(S g, c) / S = min(g, c / S)

g: the true gradient's norm, c: the clipping norm, S: the loss scale. PyTorch's AMP examples call scaler.unscale_(optimizer) first.
"""

from typing import Annotated

from kernels import Bound, kernel

Norm = Annotated[float, Bound(low=1e-30)]


@kernel(kind="formula", outputs={"right": "", "early": "", "shrunk": "", "scaled": ""})
def clip_unscale(norm: Norm = 0.5, clip: Norm = 1.0, scale: Annotated[float, Bound(low=1.0)] = 65536.0):
    """The norm after unscale and clip, after clip and unscale (early), their ratio, and the scaled norm that the early clip meets."""
    right, early = min(norm, clip), min(norm, clip / scale)
    return {"right": right, "early": early, "shrunk": right / early, "scaled": norm * scale}
