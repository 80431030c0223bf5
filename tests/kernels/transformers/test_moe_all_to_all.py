"""Oracles: tokens sent one by one between pretended GPUs, torch's FLOP counter on an expert, and what must cancel."""

import random

import pytest

from kernels.library.transformers.moe_all_to_all import moe_all_to_all


def test_tokens_sent_one_by_one():
    draw, gpus, experts, top_k, tokens = random.Random(0), 4, 8, 2, 20_000
    elsewhere = sum(e // (experts // gpus) != 0 for _ in range(tokens) for e in draw.sample(range(experts), top_k))  # of GPU 0's tokens
    got = moe_all_to_all(tokens=tokens, top_k=top_k, d_model=64, gpus=gpus)
    assert got["dispatch"] == pytest.approx(elsewhere * 64 * 2, rel=0.01) and got["sent"] == 2 * got["dispatch"]


def test_an_experts_flops_are_torchs():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    x, up, gate, down = torch.ones(6, 16), torch.ones(16, 40), torch.ones(16, 40), torch.ones(40, 16)
    with FlopCounterMode(display=False) as counter:
        _ = (torch.nn.functional.silu(x @ gate) * (x @ up)) @ down
    assert moe_all_to_all(tokens=3, top_k=2, d_model=16, ffn=40)["flops"] == counter.get_total_flops()


def test_only_width_format_and_gpus_decide_the_intensity():
    assert moe_all_to_all()["intensity"] == pytest.approx(3 * 14336 / 2 * 8 / 7)
    assert moe_all_to_all(tokens=77, top_k=8, d_model=7168)["intensity"] == pytest.approx(moe_all_to_all()["intensity"])
    assert moe_all_to_all(ffn=2048)["exchange_over_compute"] == pytest.approx(7 * moe_all_to_all()["exchange_over_compute"])


def test_at_the_balanced_link_both_take_equally_long():
    got = moe_all_to_all(bandwidth=moe_all_to_all()["balanced_link"].__float__())
    assert got["exchange_time"] == pytest.approx(got["compute_time"]) and got["exchange_share"] == pytest.approx(0.5)


def test_beyond_a_node_the_network_sets_the_time():
    draw, gpus, experts, top_k, tokens = random.Random(1), 32, 64, 6, 20_000
    nodes = [e // 2 // 8 for _ in range(tokens) for e in draw.sample(range(experts), top_k)]  # GPU 0 is of node 0
    got = moe_all_to_all(tokens=tokens, top_k=top_k, d_model=64, gpus=gpus)
    away = sum(n != 0 for n in nodes) * 64 * 2
    assert got["outside"] * got["dispatch"] == pytest.approx(away, rel=0.01)
    assert got["exchange_time"] == pytest.approx(2 * away / 50e9, rel=0.01)
    assert moe_all_to_all()["outside"] == 0


def test_deepseeks_experts_on_eight_nodes_wait_for_the_network():
    got = moe_all_to_all(tokens=1, top_k=8, d_model=7168, ffn=2048, gpus=64)
    bytes_out, flop = 2 * 8 * 7168 * 2 * 56 / 64, 6 * 8 * 7168 * 2048
    assert got["exchange_over_compute"] == pytest.approx(bytes_out / 50e9 / (flop / 989.4e12), rel=1e-3)
