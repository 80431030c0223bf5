"""The table of models against what others counted: parts of DeepSeek's models."""

import pytest

from kernels.library.inference.batch_invariance import batch_invariance
from kernels.library.inference.mla_absorb import mla_absorb
from kernels.library.inference.mla_cache import mla_cache
from kernels.library.inference.moe_dispatch import moe_dispatch
from kernels.library.models._models import ALIKE, MIXTURES, SHAPES
from kernels.library.models.model_shape import model_shape
from kernels.library.transformers import attention_flops, attention_time_share


def test_the_latent_cache_is_mla_cache_s():
    shape = SHAPES["deepseek-v2"]
    assert shape.cached == mla_cache()["mla_numbers"] and shape.layers * shape.cached * 2 == mla_cache()["mla_per_token"]


def test_llama_3_70b_by_parts():
    """The scaling book's: 56.3e9 in the MLPs, 2.1e9 in embedding and head, 12e9 in attention."""
    got = model_shape(model="llama-3-70b")
    assert [round(got[part] / 1e9, 1) for part in ("mlp", "embedding", "attention")] == [56.4, 2.1, 12.1]


def test_deepseek_v3_in_torch():
    """Layer by layer as its modelling code builds it."""
    torch = pytest.importorskip("torch")
    nn = torch.nn

    def swiglu(inner: int) -> list:
        return [nn.Linear(7168, inner, False), nn.Linear(7168, inner, False), nn.Linear(inner, 7168, False)]

    def numel(modules) -> int:
        return sum(p.numel() for module in modules for p in module.parameters())

    with torch.device("meta"):
        attention = [nn.Linear(7168, 1536, False), nn.RMSNorm(1536), nn.Linear(1536, 128 * (128 + 64), False), nn.Linear(7168, 512 + 64, False)]
        attention += [nn.RMSNorm(512), nn.Linear(512, 128 * (128 + 128), False), nn.Linear(128 * 128, 7168, False)]
        norms, around = [nn.RMSNorm(7168), nn.RMSNorm(7168)], [nn.Embedding(129280, 7168), nn.RMSNorm(7168), nn.Linear(7168, 129280, False)]
        router, expert, dense = [nn.Linear(7168, 256)], swiglu(2048), swiglu(18432)
    attention, norms, router, expert, dense = map(numel, (attention, norms, router, expert, dense))
    whole = 61 * (attention + norms) + 3 * dense + 58 * (router + 257 * expert) + numel(around)
    assert attention == 187_107_328
    assert model_shape(model="deepseek-v3")["parameters"] == whole == 671_026_419_200
    assert model_shape(model="deepseek-v3")["linear"] == whole - numel(around) - 61 * (norms + 1536 + 512) - 58 * 256


def test_what_each_kernel_may_ask_for():
    assert set(SHAPES) - set(ALIKE) == {"deepseek-v2", "deepseek-v3"} and set(MIXTURES) < set(SHAPES)
    assert all(SHAPES[model].dense_layers == 0 and SHAPES[model].shared_experts == 0 for model in ALIKE)


@pytest.mark.parametrize(
    ("kernel", "model", "fields"),
    [
        (mla_absorb, "deepseek-v2", {"heads": "heads", "head_dim": "head_dim", "latent": "latent", "rope": "rope"}),
        (moe_dispatch, "olmoe-1b-7b", {"experts": "experts", "top_k": "active_experts", "d_model": "d_model", "ffn": "ffn"}),
        (batch_invariance, "gpt2", {"d_model": "d_model", "vocab": "vocab"}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_is_measured_has_a_published_shape(kernel, model, fields):
    """Their shapes are parameters of their own, so that a row more in the table makes no measurement stale."""
    assert {name: kernel.parameters[name].default for name in fields} == {name: getattr(SHAPES[model], field) for name, field in fields.items()}


def test_the_widths_of_sweeps_are_gpt3s():
    widths = tuple(SHAPES[f"gpt3-{size}"].d_model for size in ("1.3b", "2.7b", "6.7b", "13b", "175b"))
    assert widths == attention_time_share.WIDTHS and set(attention_flops.WIDTHS) < set(widths)
