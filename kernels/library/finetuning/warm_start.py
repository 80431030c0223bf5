"""Does a source model help the target task? Linear regression y = w x + noise, started from a source's weights or from zero.

Fine-tuning is ridge regression towards the source's weights s, training from scratch towards zero, each with its best strength:

    minimise |y - X w|^2 + lambda |w - start|^2,        lambda = noise^2 d / |w - start|^2

The excess risk depends on |w - start|^2 alone. So, with |s| = |w|, the source helps if and only if its cosine with the target exceeds
1/2, whatever n.
In the limit of large d at gamma = d/n the risk is noise^2 gamma m(-lambda/n) (Dobriban and Wager 2015, arXiv 1507.03003, theorem 2.1).
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000)


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("frozen", "finetuned", "scratch", "ratio", "distance", "scratch_matches", "frozen_unrelated", "finetuned_unrelated"), ""),
        "sweep": Series("n", ""),
    },
    tolerance=1e-6,
)
def warm_start(
    similarity: Annotated[float, Bound(low=-1.0, high=1.0)] = 0.9,
    unrelated: Annotated[float, Bound(low=-1.0, high=1.0)] = 0.1,
    n: Annotated[int, Bound(low=10, high=2000)] = 100,
    d: Annotated[int, Bound(low=10, high=400)] = 200,
    noise: Annotated[float, Bound(low=0.01, high=10.0)] = 0.5,
    runs: Annotated[int, Bound(low=1, high=200)] = 10,
    seed: int = 0,
):
    """Excess risk (1: predicting nothing) of a source frozen, fine-tuned, and of training from scratch, for a similar and an unrelated source.

    n: target examples. distance: |w - s|^2 at the similar source. ratio: scratch / finetuned. scratch_matches: the first n of the sweep from
    which scratch has caught up with fine-tuning at n, 0 for none. sweep: scratch and fine-tuning from both sources.
    """
    import torch

    if n not in SIZES:
        raise KernelError(f"warm_start: n is {n}, but must be one of {', '.join(map(str, SIZES))}")
    distances = {"scratch": 1.0, "finetuned": 2 - 2 * similarity, "finetuned_unrelated": 2 - 2 * unrelated}
    risks = {name: dict.fromkeys(SIZES, 0.0) for name in distances}
    random = torch.Generator().manual_seed(seed)
    for _ in range(runs):
        x = torch.randn(max(SIZES), d, generator=random, dtype=torch.float64)
        for size in SIZES:
            eigenvalues = torch.linalg.eigvalsh(x[:size].T @ x[:size]).clamp(min=0)
            for name, distance in distances.items():
                risks[name][size] += float(risk(eigenvalues, distance, noise)) / runs
    caught_up = [size for size in SIZES if risks["scratch"][size] <= risks["finetuned"][n]]
    return {
        "frozen": distances["finetuned"],
        "frozen_unrelated": distances["finetuned_unrelated"],
        **{name: risks[name][n] for name in risks},
        "ratio": risks["scratch"][n] / risks["finetuned"][n],
        "distance": distances["finetuned"],
        "scratch_matches": caught_up[0] if caught_up else 0,
        "sweep": {
            "n": list(SIZES),
            "unrelated source": [risks["finetuned_unrelated"][size] for size in SIZES],
            "from scratch": [risks["scratch"][size] for size in SIZES],
            "similar source": [risks["finetuned"][size] for size in SIZES],
        },
    }


def risk(eigenvalues, distance: float, noise: float):
    """Mean over noise and over the direction of w - start: bias and variance of ridge, with X'X of these eigenvalues."""
    d = len(eigenvalues)
    if distance == 0:
        return eigenvalues.new_zeros(())
    strength = noise**2 * d / distance
    bias = (strength / (eigenvalues + strength)).square().mean() * distance
    variance = noise**2 * (eigenvalues / (eigenvalues + strength).square()).sum()
    return bias + variance


@warm_start.figure
def draw(result, ax):
    from kernels import plot

    curve = result["sweep"]
    colors = {"unrelated source": plot.MUTED, "from scratch": plot.MUTED, "similar source": plot.ACCENT}
    plot.lines(ax, curve, xlog=True, labels=dict.fromkeys(colors, ""), x_label="target examples", y_label="excess error", highlight="similar source")
    here = SIZES.index(result.parameters["n"])
    for line, color in colors.items():
        plot.mark(ax, curve.x[here], curve.values(line)[here], "", color=color)
        ax.annotate(line, (curve.x[1], curve.values(line)[1]), (4, 4), textcoords="offset points", color=color)
    return (
        f"Excess error against target examples, which falls until all three meet. At {result.parameters['n']} examples it is "
        f"{result['finetuned']:.2f} from a similar source, "
        f"{result['scratch']:.2f} from scratch, {result['finetuned_unrelated']:.2f} from an unrelated one."
    )
