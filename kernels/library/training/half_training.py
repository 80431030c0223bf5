"""A small network trained with everything in one 16-bit format: how many steps it survives, by optimizer.

AdamW divides by sqrt(v) + e with e = 1e-8, which fp16 rounds to 0 (its smallest number is 2^-24 = 6e-8), and v = 0.001 g^2 rounds to 0
after the first step for every |g| below 5e-3. So it divides by zero: 0/0 is NaN. Plain gradient descent has no such division.
The network is a two-layer regression of random targets, its values far from fp16's upper end.
"""

from typing import Annotated

from kernels import AtLeast, Bound, Free, kernel

RUNS = {"adamw_fp16": 1e-8, "adamw_fp16_large_epsilon": 1e-4, "adamw_bf16": 1e-8, "adamw_fp32": 1e-8, "sgd_fp16": 0.0}  # epsilon of each


@kernel(kind="simulation", outputs={**dict.fromkeys(RUNS, ""), "sgd_fp16_improvement": ""}, tolerance=0.05)
def half_training(
    steps: Annotated[int, Bound(low=2, high=1000)] = 100,
    width: Annotated[int, Bound(low=4, high=1024), Free(32, 256)] = 64,
    seed: int = 0,
):
    """Steps of training before a weight is infinite or NaN, by optimizer and format; "at least" where all of `steps` were survived.

    large_epsilon: 1e-4 in place of 1e-8. sgd_fp16_improvement: first loss over last. The hidden width is free, 32 to 256.
    """
    found = {run: losses(run, steps, seed, width) for run in RUNS}
    return {
        **{run: AtLeast(steps) if len(found[run]) == steps else len(found[run]) for run in RUNS},
        "sgd_fp16_improvement": found["sgd_fp16"][0] / found["sgd_fp16"][-1],
    }


@half_training.invariant
def fp32_survives(result) -> bool:
    """In fp32 the same training goes to its end, and plain descent in fp16 lowers the loss."""
    return result["adamw_fp32"] == result.parameters["steps"] and result["sgd_fp16_improvement"] > 1


def losses(run: str, steps: int, seed: int, width: int = 64) -> list[float]:
    """The loss before each step after which all weights are finite."""
    import torch
    from torch import nn

    from kernels import precision

    random = torch.Generator().manual_seed(seed)
    dtype = precision.torch_dtype(run.split("_")[1])
    x, y = (torch.randn(256, columns, generator=random).to(dtype) for columns in (32, 1))
    shapes = ((width, 32), (1, width))
    weights = [nn.Parameter((torch.randn(*s, generator=random) / s[1] ** 0.5).to(dtype)) for s in shapes]
    adamw = torch.optim.AdamW(weights, lr=1e-3, eps=RUNS[run], foreach=False)
    optimizer = torch.optim.SGD(weights, lr=0.05) if run.startswith("sgd") else adamw
    found = []
    for _ in range(steps):
        loss = (torch.tanh(x @ weights[0].T) @ weights[1].T - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if not all(weight.isfinite().all() for weight in weights):
            break
        found.append(loss.item())
    return found
