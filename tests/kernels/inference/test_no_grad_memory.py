import pytest

from kernels import plot
from kernels.library.inference.no_grad_memory import no_grad_memory
from kernels.library.models._models import SHAPES


def test_the_weights_are_a_gpts():
    assert no_grad_memory(width=12288, layers=96)["weights"] == pytest.approx(2 * 175e9, rel=0.01)
    assert SHAPES["gpt3-175b"].d_model == 12288


@pytest.mark.oracle("no_grad_memory", "what torch's autograd saves in a transformer without dropout")
def test_autograd_saves_as_much():
    pytest.importorskip("torch")
    from saved_tensors import saved_bytes

    from kernels.library.training import gradient_checkpointing as file

    width, layers, tokens = 256, 3, 192
    model, x = file.prepared(width, layers, tokens, 1, "bf16", "cpu")
    assert no_grad_memory(width=width, layers=layers, tokens=tokens)["saved"] == pytest.approx(saved_bytes(model.eval(), x), rel=0.02)


def test_the_saving_goes_from_nothing_to_nearly_all():
    got = no_grad_memory()
    assert got["saving_low"] < 0.01 and got["saving_high"] > 0.9
    assert got["saving"] == 1 - got["without"] / got["with_graph"]
    assert no_grad_memory(layers=1, tokens=16384)["saving"] < 0.5  # a single layer keeps little beyond what is at work


def test_the_figure():
    assert "86.7" in plot.draw(no_grad_memory, no_grad_memory()).alt


def test_torch_saves_that_many_bytes_a_token():
    """One block in bf16 on the CPU, with fused attention: what its graph keeps, weights left out and each storage counted once."""
    torch = pytest.importorskip("torch")
    from kernels.library.models._transformer import transformer

    width, tokens = 256, 512
    model = transformer(width, 1, dtype=torch.bfloat16, device="cpu").eval()
    weights, kept = {p.untyped_storage().data_ptr() for p in model.parameters()}, {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = model(torch.randn(1, tokens, width).bfloat16().requires_grad_())
    assert out.requires_grad and sum(kept.values()) / tokens / width == pytest.approx(32, rel=0.05)
