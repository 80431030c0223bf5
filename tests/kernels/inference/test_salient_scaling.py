import pytest

pytest.importorskip("torch")

from kernels import plot
from kernels.library.inference.salient_scaling import salient_scaling

SMALL = {"rows": 128, "columns": 512}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scaling_helps_the_salient_columns_alone_and_costs_no_bits(seed):
    got = salient_scaling(seed=seed, **SMALL)
    assert got["mixed"] < got["best"] <= got["scaled"] < got["plain"] < got["wrong_channels"] * 1.02
    assert got["stored_bits"] == 4 < got["mixed_bits"]


def test_a_scale_of_one_changes_nothing():
    got = salient_scaling(scale=1.0, **SMALL)
    assert got["scaled"] == pytest.approx(got["plain"], rel=1e-12) and got["sweep"].values("error")[0] == got["scaled"]


def test_the_plain_error_by_hand():
    """Step s = max / 7 of 128 Gaussian weights, noise s^2 / 12 against power 1, whatever the inputs."""
    import torch

    largest = torch.randn(4000, 128, generator=torch.Generator().manual_seed(5)).abs().amax(1)
    assert salient_scaling()["plain"] == pytest.approx(((largest / 7).square().mean() / 12).sqrt().item(), rel=0.03)


def test_mixed_precision_leaves_the_ordinary_columns_noise():
    got = salient_scaling(columns=1024)
    salient, others = 10 * 30**2, 1014
    assert got["mixed"] / got["plain"] == pytest.approx((others / (others + salient)) ** 0.5, rel=0.1)


def test_the_figure():
    assert "16 bits" in plot.draw(salient_scaling, salient_scaling(**SMALL)).alt
