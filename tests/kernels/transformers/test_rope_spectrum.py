"""Oracles: the rotation itself for a wavelength, the definition of NTK scaling, and the count by logarithms."""

import math

import pytest

from kernels import KernelError, plot
from kernels.library.transformers.rope_spectrum import rope_spectrum, wavelengths


def test_a_wavelength_is_one_turn():
    turned = [wave * 10_000 ** (-2 * i / 128) for i, wave in enumerate(wavelengths(128, 10_000.0))]
    assert turned == pytest.approx([2 * math.pi] * 64)


@pytest.mark.oracle("rope_spectrum", "unit vectors turned token by token")
def test_pairs_turned_token_by_token():
    turned = [0.0] * 16
    for _ in range(300):
        turned = [angle + 100.0 ** (-2 * i / 32) for i, angle in enumerate(turned)]
    found = rope_spectrum(head_dim=32, base=100.0, trained=300, wanted=600)
    assert found["unfinished"] == sum(angle < 2 * math.pi for angle in turned)
    assert (found["shortest"], found["longest"]) == pytest.approx(tuple(2 * math.pi * 300 / angle for angle in (turned[0], turned[-1])))
    slower = [i for i in range(16) if 300 * found["ntk_base"] ** (-2 * i / 32) < 2 * math.pi]
    assert 300 * found["ntk_base"] ** (-30 / 32) == pytest.approx(turned[-1] / 2) and len(slower) >= found["unfinished"]


@pytest.mark.parametrize("trained", [2048, 4096, 8192])
def test_unfinished_pairs_by_logarithms(trained):
    last = math.floor(64 * math.log(trained / (2 * math.pi)) / math.log(10_000))
    assert rope_spectrum(trained=trained)["unfinished"] == 63 - last


def test_ntk_stretches_the_slowest_by_the_factor_and_leaves_the_fastest():
    found = rope_spectrum()
    waves = wavelengths(128, found["ntk_base"])
    assert waves[0] == pytest.approx(found["shortest"])
    assert waves[-1] == pytest.approx(8 * found["longest"])


def test_the_ends_of_the_spectrum():
    """Peng et al. and Su et al.: 2 pi at the fast end; 2 pi base^(126/128) at the slow one."""
    found = rope_spectrum()
    assert (found["shortest"], found["longest"]) == pytest.approx((6.2832, 54410), rel=1e-4)
    assert found["interpolated_step"] == pytest.approx(found["fastest_step"] / 8)


def test_an_odd_head_is_refused():
    with pytest.raises(KernelError):
        rope_spectrum(head_dim=5)


def test_the_figure():
    assert "trained on 4,096" in plot.draw(rope_spectrum, rope_spectrum()).alt
