"""Where zero_grad stands in a training loop: gradient descent on one weight, loss curvature * w^2 / 2, in four orders.

Never zeroed, .grad holds the sum of all gradients so far, and the step becomes momentum with a coefficient of 1:

    w_{t+1} = w_t - a (w_0 + ... + w_t),  a = rate * curvature,        so  w_{t+1} - 2 w_t + w_{t-1} = -a w_t

With w_0 = 1 the solution for 0 < a < 4 is cos((t + 1/2) theta) / cos(theta / 2), cos theta = 1 - a / 2: it swings for ever. Zeroed anywhere
between one step and the next backward pass, w_t = (1 - a)^t.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

ORDERS = ("start", "after_step", "between", "never")  # zeroed before backward, after step, between the two, not at all
DECAY = 0.1


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(ORDERS, ""),
        **dict.fromkeys(("period", "between_decay", "between_decay_zeros", "adam_overshoot", "repeats"), ""),
        "sweep": Series("step", ""),
    },
    tolerance=1e-6,
)
def zero_grad_order(
    steps: Annotated[int, Bound(low=10, high=2000)] = 100,
    rate: Annotated[float, Bound(low=1e-4, high=1.0)] = 0.1,
    curvature: Annotated[float, Bound(low=1e-3, high=3.0)] = 1.0,
    adam_rate: Annotated[float, Bound(low=1e-4, high=1.0), Free(0.001, 0.1)] = 0.01,
):
    """The weight, 1 at first, after so many SGD steps by the place of zero_grad; 0 is the optimum.

    period: steps of one swing without zeroing. between_decay, between_decay_zeros: the weight under AdamW (decay 0.1) zeroed between backward
    and step, to None and to zero. repeats: the second gradient of the same loss over the first, not zeroed. sweep: losses.
    adam_overshoot: how far past the optimum Adam swings when nothing is zeroed, of the starting distance. Its learning rate adam_rate is free
    between the usual 0.001 and a coarse 0.1, as it sets how many steps the way to the optimum takes.
    """
    import math

    import torch

    def sgd(weight):
        return torch.optim.SGD([weight], lr=rate)

    def adamw(weight):
        return torch.optim.AdamW([weight], lr=rate, weight_decay=DECAY)

    paths = {order: path(order, steps, curvature, sgd) for order in ORDERS}
    shown = range(0, steps + 1, max(1, steps // 100))
    return {
        **{order: paths[order][-1] for order in ORDERS},
        "period": 2 * math.pi / math.acos(1 - rate * curvature / 2),
        "between_decay": path("between", steps, curvature, adamw)[-1],
        "between_decay_zeros": path("between", steps, curvature, adamw, to_none=False)[-1],
        "adam_overshoot": -min(path("never", round(4 / adam_rate), curvature, lambda weight: torch.optim.Adam([weight], lr=adam_rate))),
        "repeats": repeated(curvature),
        "sweep": {
            "step": list(shown),
            "never": [curvature * paths["never"][step] ** 2 / 2 for step in shown],
            "zeroed": [curvature * paths["start"][step] ** 2 / 2 for step in shown],
        },
    }


@zero_grad_order.invariant
def an_orderly_loop_shrinks_the_weight_by_the_same_factor_each_step(result) -> bool:
    """Zeroed before backward or after the step, the weight is (1 - rate * curvature)^steps."""
    given = result.parameters
    closed = (1 - given["rate"] * given["curvature"]) ** given["steps"]
    return all(abs(result[order] - closed) < 1e-9 for order in ("start", "after_step"))


def path(order: str, steps: int, curvature: float, make, to_none: bool = True) -> list[float]:
    """The weight before each step and after the last."""
    import torch

    weight = torch.ones((), dtype=torch.float64, requires_grad=True)
    optimizer, found = make(weight), [1.0]
    for _ in range(steps):
        if order == "start":
            optimizer.zero_grad(set_to_none=to_none)
        (curvature * weight.square() / 2).backward()
        if order == "between":
            optimizer.zero_grad(set_to_none=to_none)
        optimizer.step()
        if order == "after_step":
            optimizer.zero_grad(set_to_none=to_none)
        found.append(weight.item())
    return found


def repeated(curvature: float) -> float:
    """What .grad holds after two backward passes of the same loss, over what it held after one."""
    import torch

    weight = torch.ones((), requires_grad=True)
    held = []
    for _ in range(2):
        (curvature * weight.square() / 2).backward()
        assert weight.grad is not None
        held.append(weight.grad.item())
    return held[1] / held[0]


@zero_grad_order.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], x_label="step", y_label="loss", highlight="never", labels={"never": "never\nzeroed", "zeroed": "zeroed"})
    return (
        f"Loss over {result.parameters['steps']} steps of gradient descent: with zero_grad it falls to zero; without, it swings for ever, "
        f"each swing of the weight {plot.show(result['period'], '')} steps long."
    )
