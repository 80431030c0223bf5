"""What repeated tokens are worth, and the loss and best model size where unique tokens are few.

    D' = U + U R* (1 - e^(-R / R*))        R = epochs - 1 repeats of U unique tokens
    N' = N_U + N_U Q* (1 - e^(-Q / Q*))    Q = N / N_U - 1, N_U the best size for U tokens read once, at most N
    L  = E + A / N'^a + B / D'^b           R* = 15.39, Q* = 5.31, a = b = 0.3527

Muennighoff et al. 2023, arXiv 2305.16264, section 3; constants of their C4 fit as published in github.com/huggingface/datablations.
The first repeat's value is that of fresh tokens and sinks as e^(-R / R*): R* is where it is 1 / e, so the half-life is R* ln 2.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

A, B, E = math.exp(6.255414), math.exp(7.3049974), math.exp(0.6254804)
ALPHA = BETA = 0.3526596
R_STAR, Q_STAR = 15.387756, 5.309743
EPOCHS = (1, 1.5, 2, 3, 4, 6, 8, 12, 16, 20, 25, 30, 35, 40, 45, 50, 55, 60)


@kernel(
    kind="formula",
    outputs={
        "tokens": "token",
        "effective": "token",
        "effective_epochs": "",
        "worth": "",
        "next": "",
        "limit": "",
        "half_life": "",
        "loss": "",
        "loss_fresh": "",
        "loss_more": "",
        "compute": "FLOP",
        "best_parameters": "",
        "best_epochs": "",
        "best_tokens": "token",
        "best_loss": "",
        "fresh_parameters": "",
        "fresh_tokens": "token",
        "sweep": Series("epochs", ""),
    },
)
def repeated_data(
    unique: Annotated[float, Bound("token", low=1e6)] = 25e9,
    epochs: Annotated[float, Bound(low=1.0, high=1e4)] = 4.0,
    parameters: Annotated[float, Bound(low=1e6)] = 8.67e9,
    constant: Annotated[float, Bound(low=0.1, high=1e4)] = R_STAR,
):
    """What some epochs over `unique` tokens are worth in fresh tokens, the loss, and the best split of the same compute into size and epochs.

    worth: effective over nominal tokens. next: a token of the next epoch against a fresh one, the mean over that epoch. loss_fresh: were all tokens
    fresh; loss_more: loss over loss_fresh - 1. best_*: with 6 N D FLOP and `unique` tokens; fresh_*: were tokens without limit.
    constant: R*, the authors' fit by default.
    """

    def predicted(size: float, epochs: float) -> float:
        return loss(size, unique, epochs, constant)

    compute = 6 * parameters * unique * epochs
    limit = math.log(compute / 6 / unique)  # of the size, at one epoch
    best = math.exp(minimum(lambda x: predicted(math.exp(x), compute / 6 / unique / math.exp(x)), limit - math.log(1000), limit))
    fresh = math.exp(minimum(lambda x: loss(math.exp(x), compute / 6 / math.exp(x), 1.0, constant), math.log(1e6), math.log(1e14)))
    now, fresh_loss = predicted(parameters, epochs), loss(parameters, unique * epochs, 1.0, constant)
    return {
        "tokens": unique * epochs,
        "effective": unique * effective(epochs, constant),
        "effective_epochs": effective(epochs, constant),
        "worth": effective(epochs, constant) / epochs,
        "next": effective(epochs + 1, constant) - effective(epochs, constant),
        "limit": 1 + constant,
        "half_life": constant * math.log(2),
        "loss": now,
        "loss_fresh": fresh_loss,
        "loss_more": now / fresh_loss - 1,
        "compute": compute,
        "best_parameters": best,
        "best_epochs": compute / 6 / unique / best,
        "best_tokens": compute / 6 / best,
        "best_loss": predicted(best, compute / 6 / unique / best),
        "fresh_parameters": fresh,
        "fresh_tokens": compute / 6 / fresh,
        "sweep": {"epochs": list(EPOCHS), "repeated": [effective(x, constant) for x in EPOCHS], "all fresh": [float(x) for x in EPOCHS]},
    }


def effective(epochs: float, constant: float) -> float:
    """Epochs of fresh tokens that this many epochs over the same tokens are worth."""
    return 1 + constant * (1 - math.exp(-(epochs - 1) / constant))


def loss(size: float, unique: float, epochs: float, constant: float) -> float:
    ratio = (ALPHA * A / (BETA * B)) ** (1 / (ALPHA + BETA))
    base = min(size, (unique * ratio) ** (BETA / ALPHA) * ratio)
    used = base * (1 + Q_STAR * (1 - math.exp(-(size / base - 1) / Q_STAR)))
    return E + A / used**ALPHA + B / (unique * effective(epochs, constant)) ** BETA


def minimum(function, low: float, high: float) -> float:
    """Where a function with one valley is least, by golden section."""
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(80):
        width = golden * (high - low)
        low, high = (low, low + width) if function(high - width) < function(low + width) else (high - width, high)
    return (low + high) / 2


@repeated_data.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        labels={"repeated": "", "all fresh": ""},
        x_label="epochs over the same tokens",
        y_label="worth in epochs of fresh tokens",
        highlight="repeated",
    )
    ax.set_ylim(0, 24)
    ax.annotate("all fresh", (21, 21), (6, -2), textcoords="offset points", color=plot.MUTED)
    epochs, worth = result.parameters["epochs"], result["effective_epochs"]
    for x in sorted({4.0, 16.0, 40.0} | {epochs if epochs <= 60 else 4.0}):
        y = effective(x, result.parameters["constant"])
        plot.mark(ax, x, y, f"{x:g}: {y:.1f}", color=plot.ACCENT if x == epochs else plot.INK, where="right below")
    return f"Repeated epochs in fresh ones: {epochs:g} epochs are worth {worth:.2f}; the curve flattens towards {result['limit']:.1f}."
