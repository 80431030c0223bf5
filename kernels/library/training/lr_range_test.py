"""The learning-rate range test on least squares, whose largest stable rate is known: 2 / L for the largest curvature L.

The rate grows by a fixed factor each mini-batch step of plain SGD; the loss of each batch, taken before its step, is smoothed and plotted over the
logarithm of the rate (Smith 2015, arXiv 1506.01186; exponential growth and the tenth of the minimum are fastai's). Curvatures fall as i^-decay.
Then the same model is trained from the start at fixed rates: what the plot suggested against what the rates do.
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel

FEATURES, EXAMPLES = 32, 4096


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("lowest", "tenth", "steepest", "limit", "lowest_of_limit", "start", "noise"), ""),
        **dict.fromkeys(("trained_at_tenth", "trained_at_hundredth", "tenth_gains"), ""),
        "test": Series("learning_rate", ""),
    },
    tolerance=0.05,
    draws=48,  # a quarter at each end of the free choices, whose spread the card tells
)
def lr_range_test(
    lr_min: Annotated[float, Bound(low=1e-9, high=1.0)] = 1e-4,
    lr_max: Annotated[float, Bound(low=1e-6, high=1e3)] = 10.0,
    steps: Annotated[int, Bound(low=20, high=2000), Free(100, 400)] = 200,
    batch: Annotated[int, Bound(low=1, high=1024), Free(32, 256)] = 64,
    decay: Annotated[float, Bound(low=0.0, high=3.0), Free(0.5, 1.5)] = 1.0,
    deviation: Annotated[float, Bound(low=0.0, high=10.0), Free(0.1, 1.0)] = 0.3,
    seed: int = 0,
):
    """Rates where the smoothed loss is lowest, a tenth of that, and steepest over log rate; 2 / L as limit.

    trained_at: full loss after as many steps at that rate (hundredth: of the lowest); tenth_gains: the hundredth's excess over the best loss,
    over the tenth's. start, noise: the loss before and at best. test: the smoothed loss over the start's. Free: steps, the speed of the sweep (fastai
    takes 100); the batch; decay, how fast curvatures fall, from nearly round to long and narrow; deviation, of the labels' noise, from a tenth of one
    feature's part to all of it.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    scales = torch.arange(1, FEATURES + 1, dtype=torch.float64) ** (-decay / 2)
    x = torch.randn(EXAMPLES, FEATURES, generator=random, dtype=torch.float64) * scales
    noise = deviation * torch.randn(EXAMPLES, generator=random, dtype=torch.float64)
    y = x @ torch.randn(FEATURES, generator=random, dtype=torch.float64) + noise
    curvature = torch.linalg.eigvalsh(x.T @ x / len(x))[-1].item()  # of the loss |x w - y|^2 / 2
    order = [torch.randint(len(x), (batch,), generator=random) for _ in range(steps)]
    rates = [lr_min * (lr_max / lr_min) ** (i / (steps - 1)) for i in range(steps)]
    smooth = smoothed(descend(x, y, order, rates)[0])
    lowest = min(range(steps), key=smooth.__getitem__)
    if not (lr_min < lr_max and 0 < lowest < steps - 1):
        raise KernelError("lr_range_test: the loss does not fall and rise again within the sweep: lr_min has to be lower, lr_max or steps higher")
    window = max(1, steps // 20)
    steepest = min(range(window, lowest + 1), key=lambda i: smooth[i] - smooth[i - window], default=lowest) - window // 2
    suggested = {"lowest": rates[lowest], "tenth": rates[lowest] / 10, "steepest": rates[steepest]}
    full = {name: loss_of(x, y, descend(x, y, order, [rates[lowest] / by] * steps)[1]) for name, by in (("tenth", 10), ("hundredth", 100))}
    shown = range(0, steps, max(1, steps // 50))
    best = torch.linalg.lstsq(x, y[:, None]).solution[:, 0]
    start, floor = loss_of(x, y, torch.zeros_like(best)), loss_of(x, y, best)
    return {
        **suggested,
        "limit": 2 / curvature,
        "lowest_of_limit": rates[lowest] * curvature / 2,
        "start": start,
        "noise": floor,
        **{f"trained_at_{name}": loss for name, loss in full.items()},
        "tenth_gains": (full["hundredth"] - floor) / (full["tenth"] - floor),
        "test": {"learning_rate": [rates[i] for i in shown], "loss": [smooth[i] / start if smooth[i] < 2 * start else None for i in shown]},
    }


@lr_range_test.invariant
def a_tenth_of_the_lowest_is_stable(result) -> bool:
    """Nothing beats the least squares, and at a tenth of the lowest point training ends below its start, but for the noise that batches bring in.

    The second where a tenth is below what batches leave stable, 2 over the largest curvature plus the sum of all over the batch, with room; or the
    sweep is slow, so that it finds its lowest point, and batches are of 32 at least.
    """
    given, tenth = result.parameters, result["tenth"]
    curvatures = sum(i ** -given["decay"] for i in range(1, FEATURES + 1))
    brought = tenth * curvatures / given["batch"] * result["noise"]
    slow = given["batch"] >= 32 and (given["lr_max"] / given["lr_min"]) ** (1 / given["steps"]) < 1.3
    least = result["noise"] <= result["trained_at_tenth"] * (1 + 1e-9) + 1e-12
    stable = result["trained_at_tenth"] < result["start"] + 4 * brought
    return least and (stable or not (slow or tenth * (2 / result["limit"] + curvatures / given["batch"]) < 1))


def descend(x, y, order, rates):
    """The loss of each batch before its step, and the final weights, which are left as they are once the loss exceeds 1e12."""
    import torch

    w, losses = torch.zeros(x.shape[1], dtype=x.dtype), []
    for rows, rate in zip(order, rates):
        residual = x[rows] @ w - y[rows]
        losses.append(min(residual.square().mean().item() / 2, 1e12))
        if losses[-1] < 1e12:
            w = w - rate * x[rows].T @ residual / len(rows)
    return losses, w


def smoothed(losses: list[float], keep: float = 0.8) -> list[float]:
    """The exponential moving average with its start corrected."""
    average, found = 0.0, []
    for i, loss in enumerate(losses):
        average = keep * average + (1 - keep) * loss
        found.append(average / (1 - keep ** (i + 1)))
    return found


def loss_of(x, y, w) -> float:
    return (x @ w - y).square().mean().item() / 2


@lr_range_test.figure
def draw(result, ax):
    from kernels import plot

    test = result["test"]
    plot.lines(ax, test, xlog=True, labels={"loss": ""}, x_label="learning rate", y_label="loss, smoothed, start = 1")
    losses = [p.value if p is not None else float("inf") for p in test.lines["loss"]]

    def near(rate: float) -> float:
        return losses[min(range(len(test.x)), key=lambda i: abs(test.x[i] / rate - 1))]

    ax.set_ylim(-0.12, 1.5)
    at = test.x[losses.index(min(losses))]  # of the drawn curve, over many draws a smooth one
    plot.mark(ax, at / 10, near(at / 10), "take a tenth", where="left below")
    plot.mark(ax, at, near(at), "lowest", color=plot.AMBER, where="left above")
