"""Oracles: counting the mixes one by one, the C(16, 6) of seven domains, and RegMix's own "2 %" of a 1B model on 25B tokens."""

import itertools

import pytest

from kernels import KernelError, plot
from kernels.library.training.mixture_search import mixture_search


@pytest.mark.parametrize(("domains", "steps"), [(2, 10), (3, 4), (4, 5), (3, 10)])
def test_counting_one_by_one_agrees(domains, steps):
    mixes = [mix for mix in itertools.product(range(steps + 1), repeat=domains) if sum(mix) == steps]
    found = mixture_search(domains=domains, steps=steps)
    assert found["mixes"] == len(mixes)
    assert found["inner_mixes"] == sum(all(mix) for mix in mixes)
    assert found["ordered"] == (steps + 1) ** domains


def test_seven_domains_in_steps_of_ten_percent():
    found = mixture_search()
    assert found["mixes"] == 8008
    assert found["grid_time"] / 3600 == pytest.approx(667_333, rel=1e-5)  # 8,008 runs of 83.33 h
    assert found["target_time"] / 3600 == pytest.approx(833_333, rel=1e-5)
    assert found["inner_mixes"] == 84  # C(9, 6)


def test_regmix_spends_two_percent_of_one_run():
    """The paper: 512 models of 1M on 1B tokens are about 2 % of one 1B model on 25B tokens."""
    found = mixture_search(tokens=25_000_000_000)
    assert found["proxies_of_run"] == pytest.approx(0.02, rel=0.05)


def test_single_domains_are_no_grid():
    with pytest.raises(KernelError, match="at least 2"):
        mixture_search(steps=1)


def test_the_figure():
    assert "grid" in plot.draw(mixture_search, mixture_search()).alt
