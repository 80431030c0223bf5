import pytest

from kernels.library.models._models import SHAPES
from kernels.library.transformers.attention_parameters import attention_parameters
from kernels.results import KernelError


@pytest.mark.parametrize("model", ["llama-2-7b", "llama-3-8b", "llama-3-70b", "llama-3.1-405b", "qwen3-30b-a3b", "mistral-7b"])
@pytest.mark.oracle("attention_parameters", "torch's linear layers, counted")
def test_the_weights_are_those_of_linear_layers(model):
    torch = pytest.importorskip("torch")
    s = SHAPES[model]
    with torch.device("meta"):
        q, k, v = (torch.nn.Linear(s.d_model, n * s.head_dim, bias=False) for n in (s.heads, s.kv_heads, s.kv_heads))
        o = torch.nn.Linear(s.heads * s.head_dim, s.d_model, bias=False)
    got = attention_parameters(d_model=s.d_model, heads=s.heads, kv_heads=s.kv_heads, head_dim=s.head_dim)
    counts = [part.weight.numel() for part in (q, k, v, o)]
    assert [got[part] for part in "qkvo"] == counts and got["total"] == sum(counts)


def test_torch_s_multi_head_attention_has_four_squares():
    torch = pytest.importorskip("torch")
    for heads in (1, 8, 16):
        layer = torch.nn.MultiheadAttention(64, heads, bias=False)
        got = attention_parameters(d_model=64, heads=heads, kv_heads=heads, head_dim=64 // heads)
        assert got["total"] == got["four_squares"] == got["multi_head"] == sum(p.numel() for p in layer.parameters())


def test_groups_lie_between_one_pair_and_all():
    got = attention_parameters(d_model=4096, heads=32, kv_heads=8, head_dim=128)
    assert got["multi_query"] < got["total"] < got["multi_head"]
    assert attention_parameters(d_model=4096, heads=32, kv_heads=1, head_dim=128)["total"] == got["multi_query"]
    with pytest.raises(KernelError, match="multiple"):
        attention_parameters(d_model=8, heads=3, kv_heads=2, head_dim=2)
