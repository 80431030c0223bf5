"""The learning-rate range test on least squares, whose largest stable rate is known: 2 / L for the largest curvature L.

The rate grows by a fixed factor each mini-batch step of plain SGD; the loss of each batch, taken before its step, is smoothed and plotted over the
logarithm of the rate (Smith 2015, arXiv 1506.01186; exponential growth and the tenth of the minimum are fastai's). Curvatures fall as 1 / i.
Then the same model is trained from the start at fixed rates: what the plot suggested against what the rates do.
"""

from typing import Annotated

from kernels import Bound, Series, kernel


@kernel(
    kind="simulation",
    outputs={
        "lowest": "", "tenth": "", "steepest": "", "explodes": "", "limit": "", "lowest_of_limit": "", "start": "", "noise": "",
        "trained_at_lowest": "", "trained_at_tenth": "", "trained_at_steepest": "", "trained_at_hundredth": "",
        "test": Series("learning_rate", ""),
    },
    tolerance=0.05,
)  # fmt: skip
def lr_range_test(
    lr_min: Annotated[float, Bound(low=1e-9, high=1.0)] = 1e-4,
    lr_max: Annotated[float, Bound(low=1e-6, high=1e3)] = 10.0,
    steps: Annotated[int, Bound(low=20, high=2000)] = 200,
    batch: Annotated[int, Bound(low=1, high=1024)] = 64,
    seed: int = 0,
):
    """Rates where the smoothed loss is lowest, a tenth of that, steepest over log rate, and four times its lowest; 2 / L as limit.

    trained_at: full loss after as many steps at that rate (hundredth: of the lowest), at most 1e6; start, noise: the loss before and at best.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    scales = torch.arange(1, 33, dtype=torch.float64).rsqrt()
    x = torch.randn(4096, 32, generator=random, dtype=torch.float64) * scales
    y = x @ torch.randn(32, generator=random, dtype=torch.float64) + 0.3 * torch.randn(4096, generator=random, dtype=torch.float64)
    curvature = torch.linalg.eigvalsh(x.T @ x / len(x))[-1].item()  # of the loss |x w - y|^2 / 2
    order = [torch.randint(len(x), (batch,), generator=random) for _ in range(steps)]
    rates = [lr_min * (lr_max / lr_min) ** (i / (steps - 1)) for i in range(steps)]
    smooth = smoothed(descend(x, y, order, rates)[0])
    lowest = min(range(steps), key=smooth.__getitem__)
    window = max(1, steps // 20)
    steepest = min(range(window, lowest + 1), key=lambda i: smooth[i] - smooth[i - window], default=lowest) - window // 2
    explodes = next((i for i in range(lowest, steps) if smooth[i] > 4 * smooth[lowest]), steps - 1)
    suggested = {"lowest": rates[lowest], "tenth": rates[lowest] / 10, "steepest": rates[steepest], "hundredth": rates[lowest] / 100}
    full = {name: loss_of(x, y, descend(x, y, order, [rate] * steps)[1]) for name, rate in suggested.items()}
    back = next((i for i in range(lowest, steps) if smooth[i] > smooth[0]), steps - 1)  # the picture ends where the start is reached again
    shown = sorted({*range(0, lowest, max(1, steps // 100)), *range(lowest, back + 1)})
    best = torch.linalg.lstsq(x, y[:, None]).solution[:, 0]
    return {
        **{name: suggested[name] for name in ("lowest", "tenth", "steepest")},
        "explodes": rates[explodes],
        "limit": 2 / curvature,
        "lowest_of_limit": rates[lowest] * curvature / 2,
        "start": loss_of(x, y, torch.zeros_like(best)),
        "noise": loss_of(x, y, best),
        **{f"trained_at_{name}": min(loss, 1e6) for name, loss in full.items()},
        "test": {"learning_rate": [rates[i] for i in shown], "loss": [smooth[i] for i in shown]},
    }


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
    plot.lines(ax, test, xlog=True, labels={"loss": ""}, x_label="learning rate", y_label="loss of the batch, smoothed")
    losses = [p.value for p in test.lines["loss"]]

    def near(rate: float) -> float:
        return losses[min(range(len(test.x)), key=lambda i: abs(test.x[i] / rate - 1))]

    ax.set_ylim(-0.12 * losses[0], max(losses[0], max(losses[: len(losses) // 2])) * 1.1)
    plot.mark(ax, result["tenth"], near(result["tenth"]), f"take a tenth: {plot.show(result['tenth'], '')}", where="left below")
    plot.mark(ax, result["lowest"], near(result["lowest"]), f"lowest: {plot.show(result['lowest'], '')}", color=plot.AMBER, where="left above")
