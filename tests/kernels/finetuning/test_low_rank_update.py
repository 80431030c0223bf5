"""Oracles: numpy's singular values of a matrix built with that spectrum, an adapter trained on it, zeta(2)."""

from __future__ import annotations

import math

import pytest

from kernels import KernelError, plot
from kernels.library.finetuning.low_rank_update import DECAYS, low_rank_update


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0, 1.5])
def test_the_best_approximation_leaves_that_share(decay):
    numpy = pytest.importorskip("numpy")
    d, rank, generator = 48, 5, numpy.random.default_rng(0)
    u, v = (numpy.linalg.qr(generator.standard_normal((d, d)))[0] for _ in range(2))
    update = u @ numpy.diag(numpy.arange(1, d + 1) ** -decay) @ v.T
    left, values, right = numpy.linalg.svd(update)
    best = left[:, :rank] @ numpy.diag(values[:rank]) @ right[:rank]
    found = low_rank_update(d=d, rank=rank, decay=decay)
    assert found["left"] == pytest.approx(numpy.linalg.norm(update - best) ** 2 / numpy.linalg.norm(update) ** 2, rel=1e-9)
    assert found["caught"] == pytest.approx(1 - found["left"])


def test_an_adapter_that_is_trained_comes_to_the_bound_and_not_below():
    torch = pytest.importorskip("torch")
    d, rank = 32, 4
    random = torch.Generator().manual_seed(0)
    u, v = (torch.linalg.qr(torch.randn(d, d, generator=random, dtype=torch.float64))[0] for _ in range(2))
    update = (u / torch.arange(1, d + 1)) @ v.T
    a = (torch.randn(rank, d, generator=random, dtype=torch.float64) / d**0.5).requires_grad_()
    b = torch.zeros(d, rank, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([a, b], lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 600)
    for _ in range(600):
        optimizer.zero_grad()
        (update - b @ a).square().sum().backward()
        optimizer.step()
        schedule.step()
    reached = ((update - b @ a).square().sum() / update.square().sum()).item()
    bound = low_rank_update(d=d, rank=rank, decay=1.0)["left"]
    assert bound - 1e-9 <= reached <= 1.02 * bound


def test_the_two_ends():
    assert low_rank_update(decay=0.0)["left"] == pytest.approx(1 - 8 / 4096)
    assert low_rank_update(decay=0.0)["rank_90"] == math.ceil(0.9 * 4096)
    first = sum(1 / i**2 for i in range(1, 9))
    assert low_rank_update(d=65536)["left"] == pytest.approx(1 - first / (math.pi**2 / 6), rel=1e-3)
    assert low_rank_update(d=16, rank=16)["left"] == 0
    with pytest.raises(KernelError, match="at most d"):
        low_rank_update(d=4, rank=8)


def test_the_figure_is_drawn():
    result = low_rank_update()
    assert "rank 8" in plot.draw(low_rank_update, result).alt
    at = list(result["sweep"].x).index(8)
    assert [result["sweep"].values(name)[at] for name in DECAYS] == sorted((low_rank_update(decay=x)["left"] for x in DECAYS.values()), reverse=True)
