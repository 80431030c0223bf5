import pytest

from kernels import KernelError, plot
from kernels.library.inference.expert_loop import expert_loop
from kernels.library.machines._devices import DEVICES

H100 = DEVICES["h100"]


def test_olmoe_by_hand():
    got = expert_loop()
    assert got["load"] == 4096 * 8 / 64 == 512
    assert got["arithmetic"] == pytest.approx(2 * 3 * 4096 * 8 * 2048 * 1024 / H100.half)
    assert got["reading"] == pytest.approx((64 * 3 * 2048 * 1024 * 2 + 2 * 4096 * 8 * 2048 * 2) / H100.bandwidth)
    assert got["launching"] == pytest.approx(64 * 8 * 5e-6)


def test_the_loop_is_never_faster():
    for tokens in (1, 16, 256, 4096, 65536):
        got = expert_loop(tokens=tokens)
        assert got["looped"] >= got["grouped"] >= max(got["arithmetic"], got["reading"]) * (1 - 1e-12)


def test_with_free_launches_and_much_work_both_are_equal():
    assert expert_loop(tokens=10**6, launch=2e-6)["loop_over_grouped"] == pytest.approx(1)


def test_few_tokens_leave_experts_idle():
    assert expert_loop(tokens=2)["launching"] == pytest.approx(15 * 8 * 5e-6)  # 64 (1 - (7/8)^2): two tokens share an expert


def test_what_makes_no_sense_is_refused():
    with pytest.raises(KernelError, match="top_k is 9"):
        expert_loop(experts=8, top_k=9)


def test_the_figure():
    assert "grouped" in plot.draw(expert_loop, expert_loop()).alt
