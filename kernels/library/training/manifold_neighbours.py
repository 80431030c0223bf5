"""Learning a smooth function from neighbours on a sphere of known dimension: how fast more data lowers the error.

    n points on a d-dimensional sphere have neighbours at a distance of about n^(-1/d)
    the nearest point's value is off by its distance:  squared error ~ n^(-2/d)      a local straight fit by its square:  n^(-4/d)

(Sharma and Kaplan 2020, arXiv 2004.10802, section 2; Bahri et al. 2021, arXiv 2102.06701, section 2.) The function is linear plus quadratic in the
coordinates, without noise. Turning the sphere into a larger space changes no distance, so the space's own dimension does not matter.
"""

import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel

SIZES = (256, 1024, 4096, 16384)
DIMENSIONS = (2, 4, 8, 16)
TESTS = 200  # an expectation is estimated: the mean over these points


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("nearest", "straight", "nearest_bound", "straight_bound", "straight_tenfold"), ""),
        **{f"straight_{d}": "" for d in DIMENSIONS},
        "sweep": Series("points", ""),
    },
    draws=12,
    tolerance=0.02,
)
def manifold_neighbours(
    dimension: Annotated[int, Bound(low=1, high=16)] = 4,
    bend: Annotated[float, Bound(low=0.01, high=10.0), Free(0.5, 2.0)] = 1.0,
    seed: int = 0,
):
    """Exponents of the squared error over the number of points, 256 to 16,384: of the nearest point's value, and of a straight fit to neighbours.

    nearest_bound, straight_bound: 2/d and 4/d; straight_tenfold: what ten times the points leave of the error, by the fitted exponent. straight_2 and
    so on: the fit's exponents at these dimensions. bend: size of the quadratic part's coefficients over the linear one's, free; a
    straight fit meets the linear part whole, so its exponents do not depend on it. sweep: the fit's error, over that at
    256 points, by dimension.
    """
    found: dict[str, float] = {}
    sweep: dict[str, list[float]] = {}
    for d in DIMENSIONS:
        _, straight = errors(d, bend, seed)
        sweep[f"d{d}"] = [e / straight[0] for e in straight]
        found[f"straight_{d}"] = slope(straight)
    nearest, straight = errors(dimension, bend, seed)
    fitted = slope(straight)
    return {
        "nearest": slope(nearest),
        "straight": fitted,
        "nearest_bound": 2 / dimension,
        "straight_bound": 4 / dimension,
        "straight_tenfold": 10**-fitted,
        **found,
        "sweep": {"points": SIZES, **sweep},
    }


def errors(d: int, bend: float, seed: int) -> tuple[list[float], list[float]]:
    """Mean squared errors over the sizes: of the nearest point, and of least squares on the 2 (d + 2) nearest."""
    import torch

    random = torch.Generator().manual_seed(seed * 1000 + d)
    linear = torch.randn(d + 1, generator=random, dtype=torch.float64)
    square = bend * torch.randn(d + 1, d + 1, generator=random, dtype=torch.float64) / (d + 1) ** 0.5

    def sphere(n: int):
        x = torch.randn(n, d + 1, generator=random, dtype=torch.float64)
        return x / x.norm(dim=1, keepdim=True)

    def target(x):
        return x @ linear + ((x @ square) * x).sum(1)

    tests = sphere(TESTS)
    wanted, nearest, straight = target(tests), [], []
    for n in SIZES:
        points = sphere(n)
        values = target(points)
        distance, index = torch.cdist(tests, points).topk(2 * (d + 2), largest=False)
        nearest.append((values[index[:, 0]] - wanted).square().mean().item())
        offsets = points[index] - tests[:, None]  # [tests, neighbours, d + 1]
        scale = distance[:, -1:, None]
        design = torch.cat([torch.ones_like(offsets[..., :1]), offsets / scale], 2)
        normal = design.transpose(1, 2) @ design + 1e-9 * torch.eye(d + 2, dtype=torch.float64)
        fit = torch.linalg.solve(normal, design.transpose(1, 2) @ values[index][..., None])
        straight.append((fit[:, 0, 0] - wanted).square().mean().item())
    return nearest, straight


def slope(errors: list[float]) -> float:
    """How fast the error falls, by least squares in logarithms."""
    xs, ys = [math.log(n) for n in SIZES], [math.log(max(e, 1e-300)) for e in errors]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return -sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum((a - x) ** 2 for a in xs)


@manifold_neighbours.invariant
def more_dimensions_learn_more_slowly(result) -> bool:
    """The fit's exponent falls from dimension to dimension, and neighbours' values always improve with data."""
    falling = [result[f"straight_{d}"] for d in DIMENSIONS]
    return all(a > b for a, b in zip(falling, falling[1:])) and result["nearest"] > 0


@manifold_neighbours.figure
def draw(result, ax):
    from kernels import plot

    labels = {f"d{d}": f"d = {d}" for d in DIMENSIONS}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label="training points", y_label="squared error, 1 at 256")
