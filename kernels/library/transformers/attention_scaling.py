"""Scores of random queries and keys, raw and divided by the root of the head's width, and what softmax makes of them.

    components of q and k independent, mean 0, standard deviation g:  var(q . k) = d g^4,   var(q . k / sqrt(d)) = g^4

(Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1 and its footnote, with g = 1.) Softmax's derivative dp_i / ds_j = p_i (1[i = j] - p_j) has the
trace 1 - sum p^2, which is nearly 1 where many keys share the weight and 0 where one has all of it.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

WIDTHS = (4, 16, 64, 256, 1024)
QUERIES = 256  # an expectation is estimated: the mean over these


@kernel(
    kind="simulation",
    outputs={
        "raw_std": "",
        "scaled_std": "",
        "scaled_variance": "",
        "raw_largest": "",
        "scaled_largest": "",
        "raw_slope": "",
        "scaled_slope": "",
        "raw_typical": "",
        "scaled_typical": "",
        "slopes": "",
        "sweep": Series("width", ""),
    },
    tolerance=1e-3,
)
def attention_scaling(
    width: Annotated[int, Bound(low=1, high=2048)] = 64,
    keys: Annotated[int, Bound(low=2, high=4096), Free(64, 1024)] = 256,
    spread: Annotated[float, Bound(low=0.01, high=10.0)] = 1.0,
    seed: int = 0,
):
    """Standard deviation of the scores, mean largest weight, and mean trace of softmax's derivative, raw and scaled; slopes: scaled over raw.

    typical: the median of the trace over the queries. keys: how many a query meets, free from a short text to a longer one. spread: standard
    deviation of the components of queries and keys, 1 in the paper's footnote. sweep: the mean largest weight by the head's width.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    sweep: dict[str, list[float]] = {"raw": [], "scaled": []}
    for d in WIDTHS:
        raw = scores(d, keys, spread, random)
        for line, factor in (("raw", 1.0), ("scaled", d**-0.5)):
            sweep[line].append(torch.softmax(raw * factor, 1).amax(1).mean().item())
    raw = scores(width, keys, spread, random)
    found = {}
    for line, factor in (("raw", 1.0), ("scaled", width**-0.5)):
        weights = torch.softmax(raw * factor, 1)
        trace = 1 - weights.square().sum(1)
        found[f"{line}_std"] = (raw * factor).std().item()
        found[f"{line}_largest"] = weights.amax(1).mean().item()
        found[f"{line}_slope"] = trace.mean().item()
        found[f"{line}_typical"] = trace.median().item()
    slopes = found["scaled_slope"] / max(found["raw_slope"], 1e-12)
    return {**found, "scaled_variance": found["scaled_std"] ** 2, "slopes": slopes, "sweep": {"width": WIDTHS, **sweep}}


def scores(width: int, keys: int, spread: float, random):
    """[queries, keys], each query with keys of its own. Given q, the sum over normal key components is normal, of standard deviation spread |q|."""
    import torch

    q = spread * torch.randn(QUERIES, width, generator=random, dtype=torch.float64)
    return spread * q.norm(dim=1, keepdim=True) * torch.randn(QUERIES, keys, generator=random, dtype=torch.float64)


@attention_scaling.invariant
def scaling_divides_by_the_root_of_the_width_and_flattens(result) -> bool:
    """The two deviations differ by sqrt(d) exactly, and dividing scores never raises the largest weight."""
    ratio = result["raw_std"] / result["scaled_std"]
    return abs(ratio - result.parameters["width"] ** 0.5) < 1e-9 * ratio and result["scaled_largest"] <= result["raw_largest"] + 1e-12


@attention_scaling.figure
def draw(result, ax):
    from kernels import plot

    labels = {"raw": "q · k", "scaled": "q · k / √d"}
    plot.lines(ax, result["sweep"], xlog=True, unit="percent", labels=labels, x_label="head's width d", y_label="largest weight", highlight="scaled")
    ax.set_ylim(0, 1)
