import itertools

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.inference.gptq_rounding import DAMPING, gptq, gptq_rounding, to_nearest

SMALL = {"rows": 32, "columns": 64, "samples": 512}


def test_with_uncorrelated_inputs_gptq_is_rounding_to_nearest():
    weights = torch.randn(16, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.allclose(gptq(weights, torch.eye(24, dtype=torch.float64), 4), to_nearest(weights, 4))


def correlated(columns, random):
    place = torch.arange(columns, dtype=torch.float64)
    return torch.linalg.cholesky(0.8 ** (place[:, None] - place).abs()) @ torch.randn(columns, 500, generator=random, dtype=torch.float64)


def test_each_column_meets_the_least_squares_that_the_rounded_ones_leave():
    """What the Cholesky factor does implicitly: before a column is rounded, all that are left are fitted anew to the layer's output."""
    random = torch.Generator().manual_seed(2)
    inputs = correlated(12, random)
    weights = torch.randn(5, 12, generator=random, dtype=torch.float64)
    hessian, top = inputs @ inputs.T, 7
    damping = DAMPING * hessian.diagonal().mean()
    rows = torch.cat([inputs.T, damping.sqrt() * torch.eye(12, dtype=torch.float64)])  # ridge regression as plain least squares
    scale, rounded = weights.abs().amax(1) / top, torch.empty_like(weights)
    for j in range(12):
        wanted = rows @ weights.T - rows[:, :j] @ rounded[:, :j].T
        left = torch.linalg.lstsq(rows[:, j:], wanted).solution.T
        rounded[:, j] = (left[:, 0] / scale).round().clamp(-top, top) * scale
    assert torch.allclose(gptq(weights, hessian, 4), rounded, atol=1e-9)


def test_between_the_best_of_all_roundings_and_rounding_to_nearest():
    """All 7^4 rows of 3-bit codes: no method comes below the best, and over 50 draws GPTQ lies well nearer to it."""
    random = torch.Generator().manual_seed(1)
    inputs = correlated(4, random)
    codes = torch.tensor(list(itertools.product(range(-3, 4), repeat=4)), dtype=torch.float64)
    found = []
    for _ in range(50):
        weights = torch.randn(1, 4, generator=random, dtype=torch.float64)
        tries = (codes * weights.abs().max() / 3, gptq(weights, inputs @ inputs.T, 3), to_nearest(weights, 3))
        best, mine, plain = (((rounded - weights) @ inputs).square().sum(1).min().item() for rounded in tries)
        assert best <= mine * (1 + 1e-9) and best <= plain * (1 + 1e-9)
        found.append((best, mine, plain))
    best, mine, plain = (sum(column) for column in zip(*found, strict=True))
    assert mine - best < 0.5 * (plain - best)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_output_error_falls_and_weight_error_rises(seed):
    got = gptq_rounding(seed=seed, **SMALL)
    assert got["gptq"] < 0.75 * got["nearest"] and got["gptq_weights"] > got["nearest_weights"]
    assert got["gptq"] <= got["gptq_unseen"] * 1.02 < got["nearest_unseen"]


def test_the_figure():
    assert "GPTQ" in plot.draw(gptq_rounding, gptq_rounding(**SMALL)).alt
