"""Oracle: Bekman, Machine Learning Engineering, benchmarks/activation-memory-per-layer.py, measured on a GPU with Hugging Face's models."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from saved_tensors import saved_bytes

from kernels.library.models import _decoder
from kernels.library.models._models import SHAPES, llama
from kernels.library.models.decoder_activations import decoder_activations, hidden, one_layer

QWEN3 = {"head_dim": 128, "head_norms": 256}


@pytest.mark.parametrize("model", ["llama-3-8b", "mistral-7b"])
def test_copies_of_the_hidden_state_as_measured(model):
    got = decoder_activations(model=model, tokens=32768, attention="repeated")
    assert round(got["copies"], 1) == 28.0
    assert round(got["layer"] / 2**30, 1) == 7.0 and round(got["checkpointed"] / 2**30, 1) == 8.0


def test_what_all_layers_keep_is_less_than_as_many_times_the_published_layer():
    """224 GiB, 32 times 7, counts the output of every layer, which nothing keeps: the next norm keeps it in fp32."""
    got = decoder_activations(tokens=32768, attention="repeated")
    assert round(32 * got["layer"] / 2**30) == 224 and got["kept"] / 2**30 == pytest.approx(224 - 31 * 0.25, abs=0.2)


@pytest.mark.parametrize(
    ("shape", "published", "off"),
    [
        (llama(36, 4096, 32, 8, 12288, 151936, **QWEN3), 29.8, 0.05),  # Qwen3-8B
        (llama(36, 2560, 32, 8, 9728, 151936, **QWEN3), 38.0, 0.3),  # Qwen3-4B: 38.3 here
        (llama(32, 960, 15, 5, 2560, 49152), 24.0, 0.75),  # SmolLM2-360M: 24.7 here, by the same hand count that gives the others
    ],
)
def test_other_shapes(shape, published, off):
    assert copies(shape) == pytest.approx(published, abs=off)


def test_gemmas_norm_keeps_another_copy(monkeypatch):
    norm, layer, model = _decoder.modules()

    class Wide(norm):  # type: ignore[misc, valid-type]
        def forward(self, x):
            wide = x.float()
            return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6) * (1 + self.weight.float())).to(x.dtype)

    class Gemma(layer):  # type: ignore[misc, valid-type]
        def __init__(self, shape, repeated, **kind):
            super().__init__(shape, repeated, **kind)
            self.first, self.second = Wide(shape.d_model, **kind), Wide(shape.d_model, **kind)

    monkeypatch.setattr(_decoder, "modules", lambda: (norm, Gemma, model))
    assert round(copies(llama(18, 2048, 8, 1, 16384, 256000, head_dim=256)), 1) == 48.0


def copies(shape, tokens=32384) -> float:
    return one_layer(shape, tokens, 1, repeated=True) / (2 * tokens * shape.d_model)


def test_by_hand():
    """Norms 8, q and the output 2, k and v a half, the MLP 14, the layer's output 1; statistics in fp32."""
    got = decoder_activations(tokens=1024)
    assert got["layer"] == 25.5 * got["copy"] + 1024 * 4 * (2 + 32) + 24


def test_checkpointing_computes_all_but_the_last_product_again():
    """In units of d_model squared a token: q and o 1, k and v a quarter, the MLP's three 3.5 each; down need not be computed again."""
    got = decoder_activations(tokens=1024)
    forward, square = 2 * (2.5 + 3 * 3.5), 4 * 1024 / 4096
    extra = forward - 2 * 3.5 + square
    assert got["slowdown"] == pytest.approx(1 + extra / (3 * forward + 3.5 * square))
    assert got["slowdown_causal"] == pytest.approx(1 + (extra - square / 2) / (3 * forward + 3.5 * square / 2))


@pytest.mark.parametrize("repeated", [False, True])
def test_autograd_saves_as_much_on_real_tensors(repeated):
    shape = replace(SHAPES["llama-3-8b"], d_model=256, heads=4, kv_heads=2, head_dim=64, ffn=512)
    tokens = 96
    _, kind, _ = _decoder.modules()
    x = torch.zeros(1, tokens, 256, requires_grad=True)
    cos, sin = _decoder.angles(x, 64)
    given = real(kind(shape, repeated), x, cos, sin)
    with torch.device("meta"):
        layer = kind(shape, repeated)
    assert traced(layer, x, cos, sin) == pytest.approx(given, abs=64)
    assert hidden(shape, tokens, 1).shape == x.shape


def real(layer, x, cos, sin) -> int:
    """What the hooks count, without the angles, which are given. The input, saved since fp32 has no copy made of it, stands for the output."""

    class Bound(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(x, cos, sin)

    return saved_bytes(Bound(), x) - cos.untyped_storage().nbytes() - sin.untyped_storage().nbytes()


def traced(layer, *tensors) -> int:
    from kernels import tracing

    given = [tensor.detach().to("meta").requires_grad_(tensor.requires_grad) for tensor in tensors]
    with tracing.memory() as trace:
        trace.label("inputs", (*layer.parameters(), *given))
        y = layer(*given)
        kept = trace.alive()["activations"]
    del y
    return kept
