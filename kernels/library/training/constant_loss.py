"""Three ways to a loss that stays the same in a network of two ReLU layers: units killed by large steps, a tiny rate, weights all zero.

A ReLU whose input is negative for every example passes no gradient, so nothing brings it back. Once a whole layer is silent the output is its bias
alone, which settles at the base rate: the loss of a constant, ln 2 for balanced classes. The label is the sign of one direction of the input.
"""

import math
from typing import Annotated

from kernels import Bound, Free, KernelError, kernel

RUNS = {"healthy": 0.1, "hot": 0.0, "tiny": 1e-8, "zeros": 0.1}  # learning rates; hot takes the parameter's


@kernel(
    kind="simulation",
    outputs={
        **{f"{run}_{what}": "" for run in RUNS for what in ("loss", "silent", "gradient", "moved")},
        "start_gradient": "",
        "constant": "",
    },
    tolerance=0.05,
)
def constant_loss(
    lr: Annotated[float, Bound(low=0.001, high=100.0), Free(2.0, 5.0)] = 3.0,
    input_scale: Annotated[float, Bound(low=0.1, high=100.0), Free(5.0, 20.0)] = 10.0,
    width: Annotated[int, Bound(low=4, high=256), Free(32, 128)] = 64,
    steps: Annotated[int, Bound(low=30, high=2000)] = 60,
    seed: int = 0,
):
    """After full-batch SGD: the loss, the larger share of a layer's units silent on all inputs, the first layer's gradient, the last third's change.

    healthy: rate 0.1, inputs of standard deviation 1; hot: rate lr, inputs of input_scale; tiny: rate 1e-8; zeros: rate 0.1, all weights 0.
    start_gradient: the healthy network's before its first step. constant: the loss of the best constant output. Free is how the steps are made too
    large: lr from 20 to 50 times the healthy rate, input_scale from forgotten normalisation by 5 to 20; and the width, 32 to 128.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    x = torch.randn(512, 20, generator=random)
    labels = (x[:, 0] > 0).float()
    shapes = ((width, 20), (width, width), (1, width))
    start = [torch.randn(shape, generator=random) * (2 / shape[1]) ** 0.5 for shape in shapes]
    found: dict[str, float] = {"start_gradient": trained(x, labels, [w.clone() for w in start], 0.1, 1)[2]}
    for run, rate in RUNS.items():
        weights = [torch.zeros_like(w) if run == "zeros" else w.clone() for w in start]
        losses, silent, gradient = trained(*((x, labels, weights, rate, steps) if rate else (x * input_scale, labels, weights, lr, steps)))
        if not math.isfinite(losses[-1]):
            raise KernelError(f"constant_loss: the {run} network overflows: lr or input_scale has to be lower")
        found |= {f"{run}_loss": losses[-1], f"{run}_silent": silent, f"{run}_gradient": gradient}
        found[f"{run}_moved"] = max(losses[-steps // 3 :]) - min(losses[-steps // 3 :])
    p = labels.mean()
    return found | {"constant": -(p * p.log() + (1 - p) * (1 - p).log())}


@constant_loss.invariant
def a_silent_layer_passes_no_gradient(result) -> bool:
    """Where a layer's every unit is silent, the gradient below it is exactly zero, and no constant beats the base rate."""
    dead = all(result[f"{run}_gradient"] == 0 for run in RUNS if result[f"{run}_silent"] == 1)
    return dead and result["zeros_silent"] == 1 and result["zeros_loss"] > result["constant"] - 1e-5


def trained(x, labels, weights, lr: float, steps: int) -> tuple[list[float], float, float]:
    """The losses, the larger of the two layers' shares of units that are zero for every input, and the norm of the first layer's gradient."""
    import torch

    biases = [torch.zeros(w.shape[0]) for w in weights]
    parameters = [p.requires_grad_() for p in (*weights, *biases)]
    losses = []
    for _ in range(steps):
        one = torch.relu(x @ weights[0].T + biases[0])
        two = torch.relu(one @ weights[1].T + biases[1])
        loss = torch.nn.functional.binary_cross_entropy_with_logits((two @ weights[2].T + biases[2])[:, 0], labels)
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients):
                parameter -= lr * gradient
    return losses, max((layer == 0).all(0).double().mean().item() for layer in (one, two)), gradients[0].norm().item()
