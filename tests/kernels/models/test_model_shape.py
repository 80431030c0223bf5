"""Parameter counts against the released checkpoints and against torch modules of the same shape."""

from __future__ import annotations

import pytest

from kernels.library.models._models import SHAPES
from kernels.library.models.model_shape import model_shape

# the sizes of the released weights, as their model cards and safetensors indexes state them
RELEASED = {
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    "opt-125m": 125_239_296,
    "opt-1.3b": 1_315_758_080,
    "opt-6.7b": 6_658_473_984,
    "opt-13b": 12_853_473_280,
    "bert-base": 109_482_240,
    "bert-large": 335_141_888,
    "llama-7b": 6_738_415_616,
    "llama-33b": 32_528_943_616,
    "llama-65b": 65_285_660_672,
    "llama-2-7b": 6_738_415_616,
    "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192,
    "llama-3-8b": 8_030_261_248,
    "llama-3-70b": 70_553_706_496,
    "llama-3.1-405b": 405_853_388_800,
    "llama-3.2-1b": 1_235_814_400,
    "llama-3.2-3b": 3_212_749_824,
    "mistral-7b": 7_241_732_096,
    "mixtral-8x7b": 46_702_792_704,
    "qwen2.5-0.5b": 494_032_768,
    "qwen2.5-1.5b": 1_543_714_304,
    "qwen2.5-3b": 3_085_938_688,
    "qwen2.5-7b": 7_615_616_512,
    "qwen2.5-14b": 14_770_033_664,
    "qwen2.5-32b": 32_763_876_352,
    "qwen2.5-72b": 72_706_203_648,
}


@pytest.mark.parametrize("model", RELEASED)
def test_counts_are_those_of_the_released_weights(model):
    assert model_shape(model=model)["parameters"] == RELEASED[model]


@pytest.mark.parametrize(
    "model, billions", [("gpt3-2.7b", 2.7), ("gpt3-6.7b", 6.7), ("gpt3-175b", 175.0), ("opt-30b", 30), ("opt-66b", 66), ("mixtral-8x22b", 141)]
)
def test_counts_round_to_the_published_names(model, billions):
    """GPT-3 table 2.1, OPT table 1 and Mistral's announcement give rounded sizes only."""
    assert model_shape(model=model)["parameters"] == pytest.approx(billions * 1e9, rel=0.02)


def test_a_mixture_uses_two_experts_a_token():
    """All but six experts of three matrices in each of 32 layers (Jiang et al. 2024, Mixtral of Experts, section 2.1: 47B and 13B)."""
    assert model_shape(model="mixtral-8x7b")["active_parameters"] == 46_702_792_704 - 32 * 6 * 3 * 4096 * 14336
    assert model_shape(model="llama-2-7b")["active_parameters"] == RELEASED["llama-2-7b"]


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
