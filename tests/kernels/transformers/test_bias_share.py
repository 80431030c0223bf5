"""Oracles: torch modules that count their own biases, and 9 d by hand."""

import pytest

from kernels.library.models._models import SHAPES
from kernels.library.transformers.bias_share import bias_share


@pytest.mark.oracle("bias_share", "torch modules that count their own biases")
@pytest.mark.parametrize("model", ["gpt2", "gpt3-175b"])
def test_a_torch_encoder_has_as_many(model):
    torch = pytest.importorskip("torch")
    shape = SHAPES[model]
    with torch.device("meta"):
        block = torch.nn.TransformerEncoderLayer(shape.d_model, shape.heads, dim_feedforward=shape.ffn, bias=True)
    biases = sum(p.numel() for name, p in block.named_parameters() if "bias" in name and "norm" not in name)
    found = bias_share(model=model)
    assert found["present"] == found["everywhere"] == shape.layers * biases == shape.layers * 9 * shape.d_model
    assert found["present_share"] == pytest.approx(3 / (4 * shape.d_model), rel=0.4 if model == "gpt2" else 0.01)  # embeddings count in the whole


def test_llama_has_none_and_qwen_those_of_q_k_v():
    assert bias_share(model="llama-2-7b")["present"] == 0
    assert bias_share(model="llama-2-7b")["everywhere"] == 32 * (5 * 4096 + 2 * 11008)
    assert bias_share(model="qwen2.5-7b")["present"] == 28 * (3584 + 2 * 512)
