"""Oracles: scaled_dot_product_attention on rows that are not empty, 1 / tokens, and the gradient without the empty text."""

import pytest

torch = pytest.importorskip("torch")
from torch.nn import functional

from kernels.library.transformers import empty_row as file
from kernels.library.transformers.empty_row import empty_row


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_empty_row_spreads(seed):
    found = empty_row(seed=seed)
    assert (found["row_nan"], found["real_nan_first"], found["real_nan_second"]) == (1, 0, 1)
    assert found["gradients_nan"] == 1
    assert found["gradients_nan_filled"] == pytest.approx(1 / 3)  # W_v's
    assert found["lowest_weight"] == pytest.approx(1 / 16)
    assert found["lowest_twice_nan"] == 1
    assert found["guarded_nan"] == 0
    assert found["guarded_error"] < 1e-5


@pytest.mark.parametrize("fill", [True, False])
def test_the_attention_is_torchs(fill):
    x, eye = torch.randn(2, 5, 8), torch.eye(8)
    seen = torch.tensor([[True] * 5, [True, True, False, False, False]])[:, None].expand(2, 5, 5)
    assert torch.allclose(file.attention(x, (eye, eye, eye), seen, fill), functional.scaled_dot_product_attention(x, x, x, attn_mask=seen), atol=1e-6)
