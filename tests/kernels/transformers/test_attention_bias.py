"""Oracles: the algebra (zero), torch's own attention, and complex numbers for the rotation."""

import pytest

from kernels.library.transformers import attention_bias as file
from kernels.library.transformers.attention_bias import attention_bias

torch = pytest.importorskip("torch")


def test_what_cancels_and_what_does_not():
    found = attention_bias(tokens=32, width=16)
    assert max(found["key"], found["value_shifted"]) < 1e-12
    assert min(found["query"], found["value"], found["key_rotary"], found["query_rotary"]) > 0.1
    none = attention_bias(tokens=8, width=8, size=0.0)
    assert none["value"] == none["query_rotary"] == 0


def test_attention_is_torchs():
    q, k, v = torch.randn(3, 8, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    theirs = torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
    assert torch.allclose(file.attend(q, k, v), theirs)


def test_the_rotation_is_a_complex_product():
    x = torch.randn(8, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    rates = torch.tensor([10_000 ** (-2 * i / 6) for i in range(3)], dtype=torch.float64)
    turned = torch.complex(x[:, :3], x[:, 3:]) * torch.exp(1j * torch.outer(torch.arange(8, dtype=torch.float64), rates))
    assert torch.allclose(file.rotary(x), torch.cat([turned.real, turned.imag], -1))


def test_every_draw_shows_it_at_every_end():
    found = attention_bias.simulate(tokens=32)
    lowest = min(outputs["key_rotary"].value for outputs in (found.outputs, *(end.outputs for end in found.ends)))
    assert lowest > 0.02 and {end.parameter for end in found.ends} == {"tokens", "width", "size"}
