"""Does a source model help the target task? Linear regression y = w x + noise, started from a source's weights or from zero.

Fine-tuning is ridge regression towards the source's weights s, training from scratch towards zero, each with its best strength:

    minimise |y - X w|^2 + lambda |w - start|^2,        lambda = noise^2 d / |w - start|^2

The excess risk depends on |w - start|^2 alone. So, with |s| = |w|, the source helps if and only if its cosine with the target exceeds
1/2, whatever n. With whitened inputs, in the limit of large d and n at gamma = d/n, the risk is noise^2 gamma m(-lambda/n), where m is the
Stieltjes transform of Marchenko and Pastur's law (Dobriban and Wager 2015, arXiv 1507.03003, theorem 2.1); d = 200 lies within 3 % of it.
Frozen, the source's risk is |w - s|^2 = 2 - 2 cosine; its output rescaled, which is a head of one weight, has 1 - cosine^2.
"""

import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel

SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000)
LINES = {"unrelated source": "finetuned_unrelated", "from scratch": "scratch", "similar source": "finetuned"}


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("finetuned", "finetuned_unrelated", "scratch", "ratio", "head", "frozen", "scratch_matches"), ""),
        "sweep": Series("n", ""),
    },
)
def warm_start(
    similarity: Annotated[float, Bound(low=-1.0, high=0.999)] = 0.9,
    unrelated: Annotated[float, Bound(low=-1.0, high=0.999)] = 0.1,
    n: Annotated[int, Bound(low=10, high=2000)] = 100,
    d: Annotated[int, Bound(low=10, high=4000), Free(100, 400)] = 200,
    noise: Annotated[float, Bound(low=0.01, high=10.0), Free(0.2, 1.0)] = 0.5,
):
    """Excess risk (1: predicting nothing) of fine-tuning from a similar and an unrelated source, and of training from scratch.

    similarity, unrelated: the sources' cosines with the target's weights. n: target examples. d: weights, free from 100 to 400, so that n = 100
    is few for all and hopeless for none. noise: standard deviation over that of the signal, free from 0.2 (the inputs explain 96 % of the
    variance) to 1 (half). ratio: scratch / finetuned. head: the source's output rescaled at best. frozen: the source as it is.
    scratch_matches: the examples from which training from scratch is as good as fine-tuning with n. sweep: against n.
    """
    distances = {"finetuned": 2 - 2 * similarity, "finetuned_unrelated": 2 - 2 * unrelated, "scratch": 1.0}
    here = {way: risk(n, d, noise, distance) for way, distance in distances.items()}
    return {
        **here,
        "ratio": here["scratch"] / here["finetuned"],
        "head": 1 - max(similarity, 0.0) ** 2,
        "frozen": distances["finetuned"],
        "scratch_matches": as_good(here["finetuned"], d, noise),
        "sweep": {"n": list(SIZES), **{line: [risk(size, d, noise, distances[way]) for size in SIZES] for line, way in LINES.items()}},
    }


def risk(n: float, d: int, noise: float, distance: float) -> float:
    """noise^2 gamma m(-strength)."""
    gamma = d / n
    strength = noise**2 * gamma / distance  # lambda / n
    b = 1 - gamma + strength
    root = math.sqrt(b * b + 4 * gamma * strength)
    m = 2 / (b + root) if b > 0 else (root - b) / (2 * gamma * strength)  # the same number, without cancellation
    return noise**2 * gamma * m


def as_good(target: float, d: int, noise: float) -> float:
    """The examples that bring training from scratch to this risk; it falls in n."""
    low, high = 1e-3, 1e9
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if risk(middle, d, noise, 1.0) <= target else (middle, high)
    return high


@warm_start.figure
def draw(result, ax):
    from kernels import plot

    curve = result["sweep"]
    colors = {"unrelated source": plot.MUTED, "from scratch": plot.MUTED, "similar source": plot.ACCENT}
    plot.lines(ax, curve, xlog=True, labels=dict.fromkeys(colors, ""), x_label="target examples", y_label="excess error", highlight="similar source")
    for line, color in colors.items():
        plot.mark(ax, result.parameters["n"], result[LINES[line]], "", color=color)
        ax.annotate(line, (curve.x[1], curve.values(line)[1]), (4, -13 if line == "from scratch" else 4), textcoords="offset points", color=color)
    return (
        f"Excess error against target examples, which falls until all three meet. At {result.parameters['n']} examples it is "
        f"{result['finetuned']:.2f} from a similar source, "
        f"{result['scratch']:.2f} from scratch, {result['finetuned_unrelated']:.2f} from an unrelated one."
    )
