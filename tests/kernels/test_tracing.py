"""Traces against hand counts, torch's hooks for saved tensors, its MemTracker, and the same modules on real CPU tensors: to the byte."""

import warnings

import pytest

torch = pytest.importorskip("torch")

from saved_tensors import saved_bytes
from torch import nn
from torch.nn import functional

from kernels import tracing
from kernels.library.models._transformer import transformer


def mlp(device):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 32, bias=False), nn.GELU(), nn.Linear(32, 4, bias=False)).to(device)


def trained(device):
    """Forward and backward of five rows through the MLP."""
    model, x, dy = mlp(device), torch.zeros(5, 8, device=device), torch.zeros(5, 4, device=device)
    with tracing.memory(device) as trace:
        trace.label("weights", model.parameters())
        trace.label("inputs", (x, dy))
        y = model(x)
        kept = trace.alive()
        trace.forward = False
        y.backward(dy)
        trace.label("gradients", (p.grad for p in model.parameters()))
        del y
        left = trace.alive()
    return trace, kept, left


def test_a_step_counted_by_hand():
    trace, kept, left = trained("meta")
    weights, inputs, before, after, output = 4 * (8 * 32 + 32 * 4), 4 * 5 * (8 + 4), 4 * 5 * 32, 4 * 5 * 32, 4 * 5 * 4
    assert kept == {"weights": weights, "inputs": inputs, "activations": before + after + output}
    assert left == {"weights": weights, "inputs": inputs, "gradients": weights}
    down, up, gradient = 4 * 32 * 4, 4 * 8 * 32, 4 * 5 * 32
    expected = (
        weights
        + inputs
        + output
        + max(
            before + after + down + gradient,  # the second layer's gradients, its saved input still there
            before + down + 2 * gradient,  # GELU's
            down + up + gradient,  # the first layer's weight
        )
    )
    assert sum(trace.peak().values()) == expected


def test_real_tensors_give_the_same_history():
    assert trained("cpu")[0].history() == trained("meta")[0].history()


def test_what_is_born_and_not_dead_is_alive():
    trace, _, left = trained("meta")
    assert trace.history()[-1] == {"temporaries": 0} | left | {"activations": 4 * 5 * 4}  # the output was let go after the last operation
    assert sum(p.size for p in trace.pieces) - sum(p.size for p in trace.pieces if p.died is not None) == sum(left.values())


def test_autograd_saves_what_the_trace_keeps():
    """The hooks count the input, which the trace is given; the trace counts the output, which nothing saves, and 24 bytes of random state a layer."""
    shape, x = (128, 3), torch.zeros(2, 96, 128)
    real = saved_bytes(transformer(*shape, dtype=torch.float32, device="cpu"), x)
    model, given = transformer(*shape, dtype=torch.float32, device="meta"), x.to("meta")
    with tracing.memory() as trace:
        trace.label("weights", model.parameters())
        trace.label("inputs", [given])
        y = model(given)
        kept = trace.alive()["activations"]
    assert y.untyped_storage().nbytes() == x.untyped_storage().nbytes()
    assert kept - 3 * 24 == pytest.approx(real, abs=3 * 24)


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_torchs_own_tracker_finds_the_same_peak(segment):
    from torch.distributed._tools.mem_tracker import MemTracker

    model, x = transformer(128, 4, dropout=0.1, dtype=torch.bfloat16, device="meta"), torch.zeros(2, 64, 128, dtype=torch.bfloat16, device="meta")
    optimizer = torch.optim.AdamW(model.parameters(), foreach=True)

    def step():
        model(x, segment).backward(x)
        optimizer.step()
        optimizer.zero_grad()

    step()
    moments = [tensor for state in optimizer.state.values() for tensor in state.values() if tensor.device.type == "meta"]
    with tracing.memory() as trace:
        trace.label("held", (*model.parameters(), *moments, x))
        step()
    theirs = MemTracker()
    theirs.track_external(model, optimizer, x)
    with warnings.catch_warnings(), tracing.as_on_a_gpu(), theirs:
        warnings.simplefilter("ignore")  # it warns of modules that have gone
        step()
    assert sum(trace.peak().values()) == theirs.get_tracker_snapshot("peak")[torch.device("meta")]["Total"]


def test_what_is_computed_again_is_an_activation():
    model, x = transformer(64, 2, dtype=torch.bfloat16, device="meta"), torch.zeros(1, 32, 64, dtype=torch.bfloat16, device="meta")
    peaks = {}
    for segment in (0, 2):
        with tracing.memory() as trace:
            trace.label("held", (*model.parameters(), x))
            y = model(x, segment)
            trace.forward = False
            y.backward(x)
        peaks[segment] = trace.peak()
    assert peaks[2]["activations"] >= peaks[0]["activations"]


def test_a_gpus_kernels_are_chosen_and_given_back():
    before = functional.scaled_dot_product_attention, functional.dropout
    q = torch.zeros(2, 4, 64, 16, dtype=torch.bfloat16, device="meta", requires_grad=True)
    with tracing.memory() as trace:
        trace.label("inputs", [q])
        y = functional.dropout(functional.scaled_dot_product_attention(q, q, q, is_causal=True), 0.1)
        kept = trace.alive()["activations"]
        with pytest.raises(ValueError, match="no mask"):
            functional.scaled_dot_product_attention(q, q, q, attn_mask=q)
    assert y.shape == q.shape and kept == 2 * 2 * q.numel() + 4 * 2 * 4 * 64 + 24 + q.numel()  # two outputs, a row's statistic, random state, a mask
    assert (functional.scaled_dot_product_attention, functional.dropout) == before


def test_flop_by_hand():
    h, s, b, layers = 128, 64, 2, 3
    model, x = (
        transformer(h, layers, dtype=torch.bfloat16, device="meta"),
        torch.zeros(b, s, h, dtype=torch.bfloat16, device="meta", requires_grad=True),
    )
    assert tracing.flops(lambda: model(x)) == {"products": 24 * h * h * s * b * layers, "attention": 4 * s * s * h * b * layers}
    both = tracing.flops(lambda: model(x).backward(x))
    assert both == {"products": 3 * 24 * h * h * s * b * layers, "attention": (4 + 10) * s * s * h * b * layers}  # five products backward for two


def test_the_workspace_of_a_fused_backward():
    assert tracing.flash_workspace(1, 2, 2, 100, 64) == 4 * 2 * 128 * 64 + 4 * 2 * 128
    assert tracing.flash_workspace(1, 2, 1, 128, 64) == 4 * 2 * 128 * 65 + 2 * 2 * 128 * 64 * 2


def test_a_sample_keeps_the_peak():
    history = [{"a": value, "b": 1} for value in (0, 5, 3, 9, 1, 2)]
    assert tracing.sampled(history, points=3) == {"done": [1 / 3, 2 / 3, 1.0], "a": [5, 9, 2], "b": [1, 1, 1]}
    assert max(tracing.sampled(history, points=100)["a"]) == 9
