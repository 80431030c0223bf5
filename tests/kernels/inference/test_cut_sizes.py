"""What each filter keeps, against torch's own counting over the whole vocabulary."""

from __future__ import annotations

import pytest

from kernels import plot
from kernels.library.inference.cut_sizes import cut_sizes

torch = pytest.importorskip("torch")


@pytest.mark.oracle("cut_sizes", "torch over the whole vocabulary")
@pytest.mark.parametrize("exponent", [0.5, 0.8, 1.0, 1.1, 1.5, 2.2, 3.0, 5.0])
def test_torch_counts_as_many(exponent):
    p = (-exponent * torch.arange(1, 50_001, dtype=torch.float64).log()).softmax(0)
    got = cut_sizes(exponent=exponent)
    assert got["by_p"] == pytest.approx(int((p.cumsum(0) < 0.9).sum()) + 1, rel=2e-5, abs=0.5)
    assert got["by_min"] == int((p >= 0.1 * p[0] * (1 - 1e-12)).sum())
    assert got["top"] == pytest.approx(p[0].item(), rel=1e-6)
    assert got["k_mass"] == pytest.approx(p[:50].sum().item(), rel=1e-6)
    assert got["min_mass"] == pytest.approx(p[: got["by_min"]].sum().item(), rel=1e-6)


def test_the_sweep_and_the_figure():
    got = cut_sizes(exponent=1.5)
    at = got["sweep"].x.index(1.5)
    assert [got["sweep"].values(name)[at] for name in ("top-p", "top-k", "min-p")] == [got["by_p"], 50, got["by_min"]]
    assert "top-p 0.9" in plot.draw(cut_sizes, got).alt
