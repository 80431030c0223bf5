"""Oracles: the formula for both passes, what autograd saves of real tensors, and a hand count at the logits."""

import pytest

torch = pytest.importorskip("torch")

from saved_tensors import saved_bytes

from kernels import plot
from kernels.library.inference.inference_peak import inference_peak
from kernels.library.inference.no_grad_memory import no_grad_memory
from kernels.library.models import _transformer

H, L, S = 128, 4, 256


@pytest.fixture(scope="module")
def found():
    return inference_peak(width=H, layers=L, tokens=S)


def test_without_a_graph_the_gelu_holds_most(found):
    """The formula's 20 bytes: the block's input, which the caller still holds, the residual stream, and four times the width twice."""
    formula = no_grad_memory(width=H, layers=L, tokens=S)
    norms = 2 * 2 * H * L
    assert found["eval_no_grad_peak"] - found["weights"] == formula["without"] - formula["weights"]
    assert found["weights"] == formula["weights"] + norms


def test_with_a_graph_every_layer_keeps_its_tensors(found):
    formula = no_grad_memory(width=H, layers=L, tokens=S)
    statistics = L * (2 * 2 * 4 + 4 * H // 64) * S + L * 24  # of norms and attention, in fp32, and random state
    assert found["eval_grad_kept"] - found["weights"] == formula["saved"] + statistics
    assert found["train_grad_kept"] - found["eval_grad_kept"] == 2 * S * H * L  # two masks of a byte a layer


def test_real_tensors_keep_as_much():
    model, x = _transformer.transformer(H, L, dtype=torch.float32, device="cpu"), torch.zeros(1, S, H)
    got = inference_peak(width=H, layers=L, tokens=S)["eval_grad_kept"] - inference_peak(width=H, layers=L, tokens=S)["weights"]
    assert saved_bytes(model, x) == pytest.approx(2 * got, rel=0.02)  # fp32 takes twice bf16's bytes


def test_the_head_holds_a_vocabulary_for_each_token():
    vocabulary = 4096
    got = inference_peak(width=H, layers=L, tokens=S, vocabulary=vocabulary)
    assert got["logits"] == got["eval_no_grad_logits"] == 2 * S * vocabulary
    assert got["eval_no_grad_peak"] == got["weights"] + got["logits"] + 2 * 2 * S * H  # beside them the last hidden state, and normed
    assert got["eval_no_grad_kept"] == got["weights"] + got["logits"]


def test_the_figure(found):
    assert "no_grad" in plot.draw(inference_peak, found).alt
