"""Oracles: counting the mixes one by one, the C(16, 6) of seven domains, RegMix's own "2 %", and FLOP counted by torch."""

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


def test_regmix_spends_two_percent_of_one_run_by_the_names_of_its_models():
    """The paper: 512 models of 1M on 1B tokens are about 2 % of one 1B model on 25B tokens."""
    found = mixture_search(tokens=25_000_000_000, proxy_blocks=1_000_000, proxy_head=0)
    assert found["proxies_of_run"] == pytest.approx(0.02, rel=0.05)


def test_flops_counted_by_torch_are_nine_tenths_output_head():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    def matrix(inputs, outputs):
        return torch.randn(inputs, outputs, requires_grad=True)

    x = torch.randn(1, 256, requires_grad=True)
    layers = [[matrix(256, 256) for _ in range(4)] + [matrix(256, 512), matrix(256, 512), matrix(512, 256)] for _ in range(2)]
    head, y = matrix(256, 50_432), x
    with FlopCounterMode(display=False) as counter:
        for q, k, v, o, gate, up, down in layers:
            y = (y @ q + y @ k + y @ v) @ o
            y = ((y @ gate) * (y @ up)) @ down
        (y @ head).sum().backward()
    found = mixture_search(proxy_runs=1, proxy_tokens=1)
    assert counter.get_total_flops() == found["proxies"]
    assert found["head_share"] == pytest.approx(0.908, abs=1e-3)


def test_against_regmix_own_1b_model_it_is_nearly_a_quarter():
    """tinyllama_1_1b: 22 layers of width 2,048, an MLP of 5,632."""
    weights = 22 * (4 * 2048**2 + 3 * 2048 * 5632) + 2048 * 50_432
    assert mixture_search(parameters=weights, tokens=25e9)["proxies_of_run"] == pytest.approx(0.236, abs=1e-3)


def test_single_domains_are_no_grid():
    with pytest.raises(KernelError, match="at least 2"):
        mixture_search(steps=1)


def test_the_figure():
    assert "grid" in plot.draw(mixture_search, mixture_search()).alt
