"""What autograd's backward refuses, and what it computes where it does not: of vectors, of numbers, a second time.

A vector has no gradient, but v'J has, for a v that is given. A backward pass frees the tensors that the operations saved, so a second one
fails where something was saved, and `.grad` gets both where the first was told to keep them.
"""

from collections.abc import Callable
from typing import Any

from kernels import kernel

REFUSALS = ("vector", "ones", "number", "repeat", "sum_repeat")


@kernel(
    kind="simulation",
    outputs={**{f"{what}_refused": "" for what in REFUSALS}, **dict.fromkeys(("ones_error", "weights_error", "retained_ratio"), "")},
    tolerance=1e-6,
    draws=5,
)
def backward_rules(seed: int = 0):
    """Refused, 1 or 0: backward of a vector, of one given ones, of a Python number, a second time, and again of a leaf's plain sum.

    ones_error: of backward(ones) against the sum's gradient, weights_error: of backward(v) against the sum weighted by v, relative, fp64.
    Weights, input and v of these two are drawn. retained_ratio: .grad after a second pass over a retained graph, over that of the first.
    """
    import torch

    vector = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    leaf: Any = vector.clone().requires_grad_()
    ones, weighted = vector_errors(seed)
    return {
        "vector_refused": refused((leaf * leaf).backward),
        "ones_refused": refused(lambda: (leaf * leaf).backward(torch.ones(3, dtype=torch.float64))),
        "number_refused": refused(lambda: (leaf * leaf).sum().item().backward()),
        "repeat_refused": refused(twice((leaf * leaf).sum())),
        "sum_repeat_refused": refused(twice((leaf + leaf).sum())),
        "ones_error": ones,
        "weights_error": weighted,
        "retained_ratio": retained(vector),
    }


@backward_rules.invariant
def a_weighted_backward_is_the_gradient_of_the_weighted_sum(result) -> bool:
    """backward(v) of a vector gives the gradient of the sum weighted by v, to rounding."""
    return result["ones_error"] < 1e-14 and result["weights_error"] < 1e-14


def vector_errors(seed: int) -> tuple[float, float]:
    """Of backward(ones) against the sum's gradient, and of backward(v) against that of the sum weighted by v."""
    import torch

    random = torch.Generator().manual_seed(seed)
    weight, x, v = (torch.randn(*shape, generator=random, dtype=torch.float64) for shape in ((3, 5), (5,), (3,)))
    weight.requires_grad_()

    def error(given, scalar) -> float:
        found = torch.autograd.grad(torch.tanh(weight @ x), weight, given)[0]
        expected = torch.autograd.grad(scalar(torch.tanh(weight @ x)), weight)[0]
        return ((found - expected).norm() / expected.norm()).item()

    return error(torch.ones(3, dtype=torch.float64), torch.sum), error(v, lambda y: (v * y).sum())


def twice(loss) -> Callable[[], None]:
    def run() -> None:
        loss.backward()
        loss.backward()

    return run


def retained(vector) -> float:
    leaf = vector.clone().requires_grad_()
    loss = (leaf * leaf).sum()
    loss.backward(retain_graph=True)
    once = leaf.grad.clone()
    loss.backward()
    return (leaf.grad / once).mean().item()


def refused(call: Callable[[], None]) -> int:
    """1 if autograd raises, or if there is nothing that has a backward pass."""
    try:
        call()
    except (RuntimeError, AttributeError):
        return 1
    return 0
