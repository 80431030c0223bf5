"""Oracles: the binomial standard deviation, torch.autograd and torch.optim.SGD, zero where nothing differs."""

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.training import variance_sources as file
from kernels.library.training.variance_sources import variance_sources


@pytest.fixture(scope="module")
def found():
    return variance_sources(runs=12, train=150, epochs=6)


def test_nothing_differs_where_all_seeds_are_kept(found):
    assert found["same_seed"] == 0
    assert all(found[name] > 0.1 for name in ("start", "order", "dropout", "seeds", "sample"))


def test_the_test_set_is_binomial():
    """numpy's binomial draws have the sd that the kernel computes, in points."""
    np = pytest.importorskip("numpy")
    got = variance_sources(runs=3, train=100, epochs=1)
    rights = np.random.default_rng(0).binomial(1000, got["accuracy"], 20_000)
    assert got["test_set"] == pytest.approx(rights.std() / 10, rel=0.02)


def test_all_sources_together_spread_more_than_the_seeds(found):
    assert found["together"] > found["seeds"]


def test_one_at_a_time_the_seeds_spread_at_least_as_much_as_at_once():
    """Efron and Stein 1981, The Jackknife Estimate of Variance: it holds of the expected variances."""
    found = [variance_sources(runs=12, train=150, epochs=6, seed=seed) for seed in range(4)]
    joint = sum(one["seeds"] ** 2 for one in found)
    assert joint < 1.3 * sum(one[name] ** 2 for one in found for name in ("start", "order", "dropout"))


def test_autograd_and_sgd_agree_on_the_training():
    random = torch.Generator().manual_seed(3)
    x, y = file.normal(random, 1, 100, 16), (torch.rand(1, 100, generator=random) < 0.5).double()
    weights = [file.normal(random, 1, 16, 24) / 4, file.normal(random, 1, 24, 1) / 5]
    take = dict.fromkeys(file.SOURCES, torch.zeros(1, dtype=torch.long))
    ours = file.fit(weights, x, y, take, 100, 2, 1, torch.Generator().manual_seed(7), keep=1.0)
    theirs = [w[0].clone().requires_grad_() for w in weights]
    optimizer = torch.optim.SGD(theirs, lr=0.2, momentum=0.9)
    draws = torch.Generator().manual_seed(7)
    for _ in range(2):
        order = torch.rand(1, 100, generator=draws).argsort(1)[0]
        for start in (0, 50):
            torch.rand(1, 50, 24, generator=draws)  # the dropout's draw
            which = order[start : start + 50]
            optimizer.zero_grad()
            logits = ((x[0, which] @ theirs[0]).tanh() @ theirs[1])[:, 0]
            torch.nn.functional.binary_cross_entropy_with_logits(logits, y[0, which]).backward()
            optimizer.step()
    assert torch.allclose(ours[0][0], theirs[0], atol=1e-12) and torch.allclose(ours[1][0], theirs[1], atol=1e-12)


def test_the_figure(found):
    assert "dropout" in plot.draw(variance_sources, found).alt
