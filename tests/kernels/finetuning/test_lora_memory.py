"""LoRA and QLoRA against their papers, and against adapters put on torch modules."""

from __future__ import annotations

import pytest

from kernels.library.finetuning.lora_memory import lora_memory
from kernels.library.models._models import SHAPES


@pytest.mark.parametrize("rank, millions", [(1, 4.7), (8, 37.7), (64, 301.9)])
def test_trainable_parameters_of_gpt3(rank, millions):
    """LoRA, arXiv 2106.09685, table 15: query and value adapters on GPT-3 175B."""
    assert lora_memory(model="gpt3-175b", rank=rank, targets="qv")["trainable"] / 1e6 == pytest.approx(millions, abs=0.1)


def test_gpt3_checkpoints_shrink_10_000_times():
    """Section 4.2: from 350 GB to about 35 MB with rank 4 on query and value (fp16 adapters)."""
    got = lora_memory(model="gpt3-175b", rank=4, targets="qv")
    assert got["adapter"] / 1e6 == pytest.approx(35, rel=0.1)
    assert got["weights"] / got["adapter"] == pytest.approx(10_000, rel=0.1)


def test_llama_2_70b_rank_16_by_hand():
    per_layer = 16 * (2 * (8192 + 8192) + 2 * (8192 + 1024) + 3 * (8192 + 28672))
    got = lora_memory(model="llama-2-70b", rank=16, targets="all-linear", base="bf16")
    assert got["trainable"] == 80 * per_layer == 207_093_760
    assert got["adapter_state"] == 16 * 207_093_760
    assert got["total"] == 2 * 68_976_648_192 + 16 * 207_093_760
    assert got["trainable_share"] == pytest.approx(0.003, rel=0.01)


@pytest.mark.parametrize("model, layers, d", [("gpt2", 12, 768), ("gpt2-medium", 24, 1024), ("gpt2-xl", 48, 1600)])
def test_gpt2_s_fused_projection_has_one_pair(model, layers, d):
    """As PEFT counts: Conv1D c_attn (d, 3 d), c_proj, c_fc and mlp.c_proj, r (in + out) each; its c_attn alone has as many as the paper's q and v."""
    assert lora_memory(model=model, rank=8)["trainable"] == layers * 8 * ((d + 3 * d) + (d + d) + (d + 4 * d) + (4 * d + d))
    assert lora_memory(model=model, rank=8, targets="qv")["trainable"] == layers * 8 * (d + 3 * d)


def test_gpt2_in_peft_s_own_example():
    """PEFT prints "trainable params: 294,912" for LoRA of rank 8 on GPT-2, whose default target is c_attn."""
    assert lora_memory(model="gpt2", rank=8, targets="qv")["trainable"] == 294_912


def test_adapters_on_torch_modules_hold_the_same_bytes():
    torch = pytest.importorskip("torch")
    s = SHAPES["qwen2.5-0.5b"]
    trainable = 0
    with torch.device("meta"):
        for _ in range(s.layers):
            widths = [(896, 896), (896, 128), (896, 128), (896, 896), (896, 4864), (896, 4864), (4864, 896)]
            for inputs, outputs in widths:
                down, up = torch.nn.Linear(inputs, 8, bias=False), torch.nn.Linear(8, outputs, bias=False)
                trainable += down.weight.numel() + up.weight.numel()
    assert lora_memory(model="qwen2.5-0.5b", rank=8)["trainable"] == trainable


def test_double_quantisation_saves_3_gb_at_65b():
    """QLoRA, arXiv 2305.14314, section 3: constants fall from 0.5 to 0.127 bits a weight; about 3 GB for 65B (section 1)."""
    assert pytest.approx(0.127, abs=0.0005) == 8 / 64 + 32 / (64 * 256)
    nf4 = lora_memory(model="llama-65b", rank=1, base="nf4")["weights"]
    single = SHAPES["llama-65b"].linear * (4 + 32 / 64) / 8 + 2 * (65_285_660_672 - SHAPES["llama-65b"].linear)
    assert (single - nf4) / 1e9 == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("model, gigabytes", [("llama-7b", 6), ("llama-13b", 10), ("llama-33b", 21), ("llama-65b", 41)])
def test_the_weights_are_most_of_the_published_memory(model, gigabytes):
    """QLoRA, table 1: what the 4-bit Guanaco models take in use, so that their weights take less, and most of it."""
    assert 0.6 * gigabytes < lora_memory(model=model, rank=1, base="nf4")["weights"] / 1e9 < gigabytes


def test_65b_fits_one_48_gb_gpu_and_in_16_bits_does_not():
    """QLoRA, abstract."""
    assert lora_memory(model="llama-65b", rank=64, base="nf4")["total"] < 48e9
    assert lora_memory(model="llama-65b", rank=64, base="bf16")["weights"] > 130e9


def test_int8_halves_the_blocks_and_leaves_the_rest():
    """LLM.int8(): a byte a weight, an fp32 scale for each of a block's output rows; embeddings and norms stay."""
    rows = 32 * (4 * 4096 + 2 * 11008 + 4096)
    rest = 6_738_415_616 - 32 * (4 * 4096 * 4096 + 3 * 4096 * 11008)
    assert lora_memory(model="llama-2-7b", rank=8, base="int8")["weights"] == 6_738_415_616 - rest + 4 * rows + 2 * rest
