"""Where the gradient of max-pooling goes: to one input of each window, and it does not matter whether its place was stored.

dx = dy at the first maximum of each window, 0 elsewhere. The place is stored by the forward (torch: max_pool2d_with_indices) or found again from the
saved input. Overlapping windows add up at a maximum that they share.
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("inputs", "reached", "reached_share", "recompute_difference", "tied_reached", "overlap_windows"), ""),
        "saved_input": "B",
        "saved_positions": "B",
    },
)
def maxpool_routing(size: Annotated[int, Bound(low=4, high=512)] = 4, seed: int = 0):
    """How many of size x size random inputs a gradient of ones reaches through 2x2 max-pooling, stored places against places found again.

    recompute_difference: largest difference between the two gradients. tied_reached: inputs reached where all are equal.
    overlap_windows: the gradient of the one largest input, amid smaller ones, with 3x3 windows at stride 1. saved_*: bytes that torch's autograd
    saves for each output of a bf16 image.
    """
    import torch

    if size % 2:
        raise KernelError(f"maxpool_routing: size is {size}, but must be even")
    x = torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    stored, again = routed(x, 2, 2), found_again(x)
    flat, peak = torch.zeros_like(x), torch.zeros(1, 1, 9, 9, dtype=torch.float64)
    peak[..., 4, 4] = 1
    saved = saved_bytes(x.bfloat16())
    return {
        "inputs": x.numel(),
        "reached": int((stored != 0).sum()),
        "reached_share": float((stored != 0).double().mean()),
        "recompute_difference": float((stored - again).abs().max()),
        "tied_reached": int((routed(flat, 2, 2) != 0).sum()),
        "overlap_windows": float(routed(peak, 3, 1)[..., 4, 4]),
        "saved_input": saved[0],
        "saved_positions": saved[1],
    }


@maxpool_routing.invariant
def one_input_of_each_window_gets_the_gradient(result):
    """A gradient of ones over 2x2 windows reaches a quarter of the inputs, tied or not, and found-again maxima are the stored ones."""
    return result["reached"] == result["tied_reached"] == result["inputs"] / 4 and result["recompute_difference"] == 0


def routed(x, window: int, stride: int):
    """The gradient of the sum of the pooled image by torch's autograd, which stored the places."""
    import torch
    from torch.nn import functional

    x = x.detach().requires_grad_()
    (dx,) = torch.autograd.grad(functional.max_pool2d(x, window, stride).sum(), x)
    return dx


def saved_bytes(x) -> tuple[float, float]:
    """Bytes of floating-point and of integer tensors that 2x2 max-pooling saves for its backward, for each output."""
    import torch
    from torch.nn import functional

    saved = {True: 0, False: 0}

    def keep(tensor):
        saved[tensor.is_floating_point()] += tensor.nbytes
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = functional.max_pool2d(x.detach().requires_grad_(), 2, 2).numel()
    return saved[True] / outputs, saved[False] / outputs


def found_again(x):
    """The same for 2x2 windows from the input alone: the first maximum of each window."""
    import torch

    windows = x.unflatten(-1, (-1, 2)).unflatten(-3, (-1, 2)).transpose(-3, -2).flatten(-2)  # [.., rows, columns, 4]
    won = torch.nn.functional.one_hot(windows.argmax(-1), 4).to(x.dtype)
    return won.unflatten(-1, (2, 2)).transpose(-3, -2).flatten(-2).flatten(-3, -2)
