"""Oracles: the published count of a layer's activations, and gradients that a frozen product needs no input for."""

import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.activation_memory import activation_memory
from kernels.library.training.lora_activations import adapted, lora_activations


@pytest.fixture(scope="module")
def found():
    return lora_activations(width=512, tokens=64)


def test_full_training_keeps_what_the_paper_counts(found):
    """34 bytes with fused attention, less two dropout masks of 1 byte, and a statistic of 4 bytes a head."""
    layer = activation_memory(width=512, heads=8, layers=1, tokens=64)["flash_layer"]
    assert found["full"] == pytest.approx(layer / (64 * 512) - 2, abs=0.3)


def test_adapters_everywhere_free_nothing_and_on_the_attention_the_mlps_inputs(found):
    rank = 2 * 16 / 512  # the adapter's own numbers, a matrix
    assert found["all"] == pytest.approx(found["full"] + 4 * rank, abs=0.1)
    assert found["attention"] == pytest.approx(found["full"] - 10 + rank, abs=0.1)


def test_a_frozen_layer_keeps_no_input():
    layer = torch.nn.Linear(8, 8, bias=False).requires_grad_(False)
    x, seen = torch.randn(4, 8, requires_grad=True), []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t.shape), lambda t: t):
        layer(x)
    assert (4, 8) not in seen
    with torch.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t.shape), lambda t: t):
        adapted(layer, 2)(x)
    assert (4, 8) in seen
