"""How far the ten best by dot product are the ten best by cosine, where the lengths of the vectors mean nothing.

Directions are uniform on the sphere, but for ten documents that may lie near the query; lengths are log-normal, independent of the directions. Then
dot = |q| |x| cos, and a length of the upper decile beats a somewhat better direction.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

TOP = 10
SPREADS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8)


@kernel(
    kind="simulation", outputs={"overlap": "", "long_share": "", "best_other": "", "sweep": Series("sd of log length", "")}, tolerance=1e-6, draws=24
)
def norm_spread(
    spread: Annotated[float, Bound(low=0.0, high=3.0)] = 0.3,
    vectors: Annotated[int, Bound(low=100, high=50_000), Free(1000, 20_000)] = 5000,
    dimension: Annotated[int, Bound(low=4, high=1024), Free(32, 512)] = 64,
    cosine_of_the_ten: Annotated[float, Bound(low=0.0, high=0.99), Free(0.0, 0.8)] = 0.0,
    queries: Annotated[int, Bound(low=1, high=500)] = 30,
    seed: int = 0,
):
    """The share of a query's ten best by cosine that are among its ten best by dot product, over the spread of lengths.

    spread: standard deviation of the natural logarithm of the lengths. cosine_of_the_ten: of ten documents that belong to the query; free between
    0, for none, and 0.8, for ten that stand out. vectors and dimension are those of a toy, and free between a small corpus and a larger one, few
    dimensions and many. long_share: of the dot product's ten best, those whose length is in the upper tenth. best_other: the largest cosine of a
    document that does not belong to the query. Each draw is a mean over queries.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    points = torch.nn.functional.normalize(torch.randn(vectors, dimension, generator=random), dim=1)
    logs = torch.randn(vectors, generator=random)
    found: dict[float, list] = {sd: [] for sd in dict.fromkeys((*SPREADS, spread))}
    long, other = [], []
    upper = logs.topk(vectors // 10).indices
    for _ in range(queries):
        query = torch.nn.functional.normalize(torch.randn(dimension, generator=random), dim=0)
        cosine = points @ query
        if cosine_of_the_ten:
            cosine[:TOP] = cosine_of_the_ten
            other.append(cosine[TOP:].max())
        else:
            other.append(cosine.max())
        best = cosine.topk(TOP).indices
        for sd, overlaps in found.items():
            chosen = ((sd * logs).exp() * cosine).topk(TOP).indices
            overlaps.append(torch.isin(chosen, best).double().mean())
            if sd == spread:
                long.append(torch.isin(chosen, upper).double().mean())
    return {
        "overlap": torch.stack(found[spread]).mean(),
        "long_share": torch.stack(long).mean(),
        "best_other": torch.stack(other).mean(),
        "sweep": {"sd of log length": SPREADS, "overlap": [torch.stack(found[sd]).mean() for sd in SPREADS]},
    }


@norm_spread.invariant
def equal_lengths_change_nothing(result) -> bool:
    """Without spread both rank alike."""
    return result["sweep"].values("overlap")[0] == 1 and (result.parameters["spread"] > 0 or result["overlap"] == 1)


@norm_spread.figure
def draw(result, ax):
    from kernels import plot

    spread, overlap = result.parameters["spread"], result["overlap"]
    plot.lines(
        ax,
        result["sweep"],
        labels={"overlap": ""},
        unit="percent",
        x_label="sd of the logarithm of the lengths",
        y_label="of cosine's ten best, also best by dot product",
    )
    plot.mark(ax, spread, overlap, f"{plot.show(overlap, 'percent')} at {spread:g}", plot.ACCENT, "right above", name="the spread asked")
