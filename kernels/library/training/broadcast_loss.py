"""The mean squared error of predictions (n, 1) against targets (n): torch compares every prediction with every target.

    mean_ij (p_i - t_j)^2 = mean_i (p_i - mean t)^2 + var t        (var over n, not n - 1)

A perfect prediction so costs 2 var t, and the best one is the mean of the targets everywhere: the bug teaches a constant.
"""

from typing import Annotated

from kernels import Bound, Free, kernel


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("matched", "broadcast", "variance", "elements", "r2_matched", "r2_broadcast", "trained_broadcast"), ""),
        "class_indices_like_logits": "",
    },
    tolerance=1e-3,
)
def broadcast_loss(
    n: Annotated[int, Bound(low=64, high=4096)] = 64,
    features: Annotated[int, Bound(low=1, high=32), Free(2, 32)] = 8,
    noise: Annotated[float, Bound(low=0.0, high=10.0), Free(0.0, 1.0)] = 0.1,
    seed: int = 0,
):
    """Loss of a perfect prediction, shapes matched and broadcast, and R2 on its own data of a linear model trained with each.

    Inputs and true weights are standard normal. Free: features, from nearly one number to half of the examples, and noise, the standard
    deviation of what no feature explains, from none to that of one feature's part. elements: differences averaged.
    class_indices_like_logits: 1 if torch's cross_entropy takes class indices of the shape of its logits.
    """
    import torch
    from torch.nn.functional import mse_loss

    random = torch.Generator().manual_seed(seed)
    x = torch.randn(n, features, generator=random, dtype=torch.float64)
    target = x @ torch.randn(features, generator=random, dtype=torch.float64) + noise * torch.randn(n, generator=random, dtype=torch.float64)
    perfect = target[:, None]
    variance = target.var(correction=0)
    matched, broadcast = trained(x, target[:, None]), trained(x, target)
    return {
        "matched": mse_loss(perfect, target[:, None]),
        "broadcast": quiet_mse(perfect, target),
        "variance": variance,
        "elements": (perfect - target).numel(),
        "r2_matched": r2(matched[:, 0], target),
        "r2_broadcast": r2(broadcast[:, 0], target),
        "trained_broadcast": quiet_mse(broadcast, target),
        "class_indices_like_logits": accepts_indices((n, 3), (n, 3)),
    }


@broadcast_loss.invariant
def broadcasting_adds_the_variance(result) -> bool:
    """A perfect prediction costs the predictions' own variance and the targets' once more; what is trained ends at the mean."""
    perfect = abs(result["broadcast"] / (2 * result["variance"]) - 1) < 1e-9
    return perfect and abs(result["r2_broadcast"]) < 1e-6 and result["trained_broadcast"] > 0.999999 * result["variance"]


def trained(x, target, steps: int = 400):
    """The predictions (n, 1) of a linear model with bias after gradient descent on the loss against `target`, of whatever shape."""
    import torch

    layer = torch.nn.Linear(x.shape[1], 1, dtype=x.dtype)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        quiet_mse(layer(x), target).backward()
        optimizer.step()
    return layer(x).detach()


def r2(prediction, target) -> float:
    """Rounded, so that the mean has 0 and not a rounding error."""
    return round(1 - ((prediction - target).square().mean() / target.var(correction=0)).item(), 9) + 0.0


def accepts_indices(logits: tuple[int, ...], targets: tuple[int, ...]) -> bool:
    """Whether cross_entropy takes whole-numbered targets of that shape."""
    import torch

    try:
        torch.nn.functional.cross_entropy(torch.zeros(logits), torch.zeros(targets, dtype=torch.long))
    except RuntimeError:
        return False
    return True


def quiet_mse(prediction, target):
    """mse_loss as it broadcasts; torch only warns of it."""
    return (prediction - target).square().mean()
