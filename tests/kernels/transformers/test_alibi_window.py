"""Oracles: the slopes that the paper prints, and softmax itself."""

import math

import pytest

from kernels import KernelError, plot
from kernels.library.transformers.alibi_window import alibi_window


def test_the_papers_slopes():
    """Press et al., section 3: 1/2 to 1/256 for 8 heads; 16 heads begin at 2^-0.5 and end at 2^-8."""
    assert (alibi_window()["steepest"], alibi_window()["flattest"]) == (1 / 2, 1 / 256)
    assert (alibi_window(heads=16)["steepest"], alibi_window(heads=16)["flattest"]) == pytest.approx((2**-0.5, 2**-8))


def test_softmax_of_equal_scores_gives_the_factor():
    torch = pytest.importorskip("torch")
    weights = (-torch.arange(2000, dtype=torch.float64) / 256).softmax(0)
    found = alibi_window()
    assert (weights[1024] / weights[0]).item() == pytest.approx(found["at_distance"])
    assert math.exp(-found["far"] / 256) == pytest.approx(1e-3) == pytest.approx(math.exp(-found["near"] / 2))


def test_other_numbers_of_heads_are_refused():
    with pytest.raises(KernelError):
        alibi_window(heads=12)


def test_the_figure():
    assert "head 8" in plot.draw(alibi_window, alibi_window()).alt
