"""Classes of operators against the paper's table and against torch's FLOP counter."""

from __future__ import annotations

import pytest

from kernels.library.transformers.operator_flops import operator_flops


def test_bert_large_is_as_lopsided_as_the_paper_says():
    """Ivanov et al., arXiv 2007.00072, table 1 (forward and backward): 99.80 % contractions, 0.17 % softmax and layer norm."""
    got = operator_flops(model="bert-large", sequence=512)
    assert got["products_share"] == pytest.approx(0.998, abs=0.001)
    assert 0.0014 < got["normalisations_share"] < 0.0026
    assert got["softmax_share"] > 2 * got["norms_share"]


@pytest.mark.oracle("operator_flops", "torch's FLOP counter on a block")
def test_torch_counts_the_same_products():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    tokens = 512
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        layer = torch.nn.TransformerEncoderLayer(1024, 16, 4096, batch_first=True)
        layer(torch.randn(2, tokens, 1024))  # training mode: the plain path
    assert counter.get_total_flops() / (2 * tokens) == operator_flops(model="bert-large", sequence=tokens)["products"]


def test_norms_and_softmax_by_hand():
    got = operator_flops(model="bert-large", sequence=512)
    assert got["norms"] == 2 * 7 * 1024
    assert got["softmax"] == 16 * 512 * 6
    assert operator_flops(model="llama-2-7b", sequence=2048, causal=True)["softmax"] == 32 * 1024 * 6
    assert operator_flops(model="llama-2-7b", sequence=2048)["norms"] == 2 * 4 * 4096
