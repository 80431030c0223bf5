"""Parameter counts against torch modules of the same shape; the sizes of released weights stand in published.yml."""

from __future__ import annotations

import pytest

from kernels.library.models._models import SHAPES
from kernels.library.models.model_shape import model_shape


def test_a_mixture_uses_two_experts_a_token():
    """All but six experts of three matrices in each of 32 layers (Jiang et al. 2024, Mixtral of Experts, section 2.1: 47B and 13B)."""
    assert model_shape(model="mixtral-8x7b")["active_parameters"] == 46_702_792_704 - 32 * 6 * 3 * 4096 * 14336
    assert model_shape(model="llama-2-7b")["active_parameters"] == 6_738_415_616


@pytest.mark.parametrize("model", SHAPES)
def test_the_parts_add_up(model):
    shape = model_shape(model=model)
    assert shape["embedding"] + shape["attention"] + shape["mlp"] + shape["norms"] == shape["parameters"]
    assert shape["linear"] <= shape["attention"] + shape["mlp"]
    assert shape["heads"] % shape["kv_heads"] == 0


def numel(*modules) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


@pytest.mark.parametrize("model", ["gpt2", "gpt2-xl", "gpt3-175b", "opt-13b"])
def test_gpts_match_torchs_own_encoder(model):
    torch = pytest.importorskip("torch")
    nn, s = torch.nn, SHAPES[model]
    with torch.device("meta"):
        block = nn.TransformerEncoderLayer(s.d_model, s.heads, dim_feedforward=s.ffn, bias=True)
        around = [nn.Embedding(s.vocab, s.d_model), nn.Embedding(s.positions, s.d_model), nn.LayerNorm(s.d_model)]
    assert model_shape(model=model)["parameters"] == s.layers * numel(block) + numel(*around)


@pytest.mark.parametrize("model", ["llama-2-7b", "llama-2-70b", "llama-3-8b", "mistral-7b", "mixtral-8x7b", "qwen2.5-7b", "llama-3.2-1b"])
def test_llamas_match_torch_modules(model):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    # d_model, query width, key width, inner width, vocabulary, experts, bias of q k v, tied: from the released config.json
    d, q, kv, ffn, vocab, experts, bias, tied = {
        "llama-2-7b": (4096, 4096, 4096, 11008, 32000, 1, False, False),
        "llama-2-70b": (8192, 8192, 1024, 28672, 32000, 1, False, False),
        "llama-3-8b": (4096, 4096, 1024, 14336, 128256, 1, False, False),
        "mistral-7b": (4096, 4096, 1024, 14336, 32000, 1, False, False),
        "mixtral-8x7b": (4096, 4096, 1024, 14336, 32000, 8, False, False),
        "qwen2.5-7b": (3584, 3584, 512, 18944, 152064, 1, True, False),
        "llama-3.2-1b": (2048, 2048, 512, 8192, 128256, 1, False, True),
    }[model]
    with torch.device("meta"):
        block = [nn.Linear(d, q, bias), nn.Linear(d, kv, bias), nn.Linear(d, kv, bias), nn.Linear(q, d, False), nn.RMSNorm(d), nn.RMSNorm(d)]
        for _ in range(experts):
            block += [nn.Linear(d, ffn, False), nn.Linear(d, ffn, False), nn.Linear(ffn, d, False)]
        if experts > 1:
            block.append(nn.Linear(d, experts, False))
        around = [nn.Embedding(vocab, d), nn.RMSNorm(d)] + ([] if tied else [nn.Linear(d, vocab, False)])
    assert model_shape(model=model)["parameters"] == SHAPES[model].layers * numel(*block) + numel(*around)
    assert SHAPES[model].linear == SHAPES[model].layers * sum(m.weight.numel() for m in block if isinstance(m, nn.Linear))
