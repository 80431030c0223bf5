import pytest

from kernels import plot
from kernels.library.models._models import SHAPES
from kernels.library.transformers.prefill_split import prefill_split
from kernels.results import KernelError


@pytest.mark.parametrize("model", ["llama-3-8b", "gpt3-175b"])
@pytest.mark.oracle("prefill_split", "torch's count of the FLOP of each matrix product, token by token")
def test_the_sum_over_tokens(model):
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    s, n = SHAPES[model], 5
    with torch.device("meta"):
        layers = [torch.nn.Linear(i, o, bias=False) for i, o in s.linear_layers.values()]
        q, k = torch.empty(s.heads, 1, s.head_dim), [torch.empty(s.heads, s.head_dim, t) for t in range(1, n + 1)]
        inputs = [torch.empty(n, layer.in_features) for layer in layers]
    with FlopCounterMode(display=False) as linear:
        for layer, x in zip(layers, inputs):
            layer(x)
    with FlopCounterMode(display=False) as attention:
        for keys in k:  # a query meets the keys up to its own, and weighs as many values
            torch.bmm(torch.bmm(q, keys), keys.transpose(1, 2))
    got = prefill_split(model=model, tokens=n)
    assert got["linear"] == s.layers * linear.get_total_flops()
    assert got["attention"] == s.layers * attention.get_total_flops()


def test_at_the_crossover_both_are_equal_and_half_is_half():
    got = prefill_split(model="llama-3-8b", tokens=131072)
    at = prefill_split(model="llama-3-8b", tokens=round(got["crossover"]))
    assert at["share"] == pytest.approx(0.5, abs=1e-4)
    half = prefill_split(model="llama-3-8b", tokens=round(got["half_tokens"]))
    assert half["total"] == pytest.approx(got["total"] / 2, rel=1e-4)
    assert prefill_split(model="llama-3-8b", tokens=131072, gpus=2)["least_time"] == pytest.approx(got["least_time"] / 2)
    assert "attention" in plot.draw(prefill_split, got).alt


def test_a_mixture_is_refused():
    with pytest.raises(KernelError, match="dense"):
        prefill_split(model="mixtral-8x7b")
