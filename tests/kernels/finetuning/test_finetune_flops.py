"""The step's arithmetic against torch's own FLOP counter on a small model of true form."""

from __future__ import annotations

import dataclasses

import pytest

from kernels.library.finetuning.finetune_flops import finetune_flops
from kernels.library.models._models import SHAPES


def test_full_is_6_n_and_lora_little_more_than_4_n():
    """Kaplan et al. 2020, arXiv 2001.08361, equation 2.2 and section 2.1."""
    got = finetune_flops(model="llama-2-70b")
    products = 68_976_648_192 - 32_000 * 8192 - (2 * 80 + 1) * 8192  # all but the embedding table and the norms
    assert got["full"] == 6 * products
    assert got["lora"] == 4 * products + 6 * 207_093_760


@pytest.mark.oracle("finetune_flops", "torch's FLOP counter on full and LoRA steps")
@pytest.mark.parametrize("trained", ["full", "lora"])
def test_torch_counts_the_same(trained, monkeypatch):
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    shape = dataclasses.replace(SHAPES["llama-2-7b"], layers=2, d_model=32, heads=4, kv_heads=2, head_dim=8, ffn=48, vocab=96)
    monkeypatch.setitem(SHAPES, "llama-2-7b", shape)
    tokens, rank = 5, 3

    def linear(inputs, outputs, trainable):
        return torch.nn.Parameter(torch.randn(outputs, inputs), requires_grad=trainable)

    layers = [linear(i, o, trained == "full") for _ in range(2) for i, o in shape.linear_layers.values()]
    adapters = [(linear(w.shape[1], rank, True), linear(rank, w.shape[0], True)) for w in layers]
    with FlopCounterMode(display=False) as counter:
        total = 0
        for w, (down, up) in zip(layers, adapters):
            x = torch.randn(tokens, w.shape[1], requires_grad=True)  # a gradient passes through every matrix
            y = x @ w.T
            total = total + (y if trained == "full" else y + x @ down.T @ up.T).sum()
        head = linear(32, 96, trained == "full")
        total = total + (torch.randn(tokens, 32, requires_grad=True) @ head.T).sum()
        total.backward()
    assert counter.get_total_flops() / tokens == finetune_flops(model="llama-2-7b", rank=rank)[trained]


def test_a_second_forward_pass_costs_both_the_same():
    """With checkpointing full fine-tuning is 8 N, LoRA 6 N."""
    once, twice = (finetune_flops(model="llama-2-7b", rank=1, recompute=r) for r in (False, True))
    assert twice["full"] / once["full"] == pytest.approx(8 / 6)
    assert twice["lora_share"] == pytest.approx(6 / 8, rel=0.002)


def test_attention_has_no_weights_to_spare():
    """Causal attention over s tokens: 2 s d forward and twice that backward in each layer, for either way."""
    without, with_it = (finetune_flops(model="llama-2-7b", sequence=s) for s in (0, 4096))
    for way in ("full", "lora"):
        assert with_it[way] - without[way] == 3 * 2 * 4096 * 4096 * 32


def test_the_measured_speedup_of_lora_stays_below_what_arithmetic_allows():
    """LoRA, arXiv 2106.09685, section 4.2, footnote: 43.1 against 32.5 tokens/s a GPU on GPT-3 175B."""
    assert 43.1 / 32.5 < 1 / finetune_flops(model="gpt3-175b", rank=4, targets="qv")["lora_share"] < 1.5


def test_experts_that_a_token_does_not_visit_cost_nothing():
    """Mixtral 8x7B: 12.9 B of 46.7 B parameters a token (arXiv 2401.04088, section 2.1), of which the embedding table is none."""
    got = finetune_flops(model="mixtral-8x7b", rank=16)
    assert got["full"] / 6e9 == pytest.approx(12.9 - 0.13, rel=0.01)
    assert 0.66 < got["lora_share"] < 0.68
