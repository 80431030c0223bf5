import pytest

from kernels import KernelError
from kernels.library.rag.rag_index_cost import rag_index_cost


@pytest.mark.oracle("rag_index_cost", "documents sliced into chunks, and counted")
@pytest.mark.parametrize("length, chunk, overlap", [(1000, 512, 0), (1000, 256, 50), (300, 512, 100), (512, 512, 511), (513, 512, 511), (24, 8, 0)])
def test_documents_sliced(length, chunk, overlap):
    text, pieces, start = range(length), [], 0
    while True:
        pieces.append(text[start : start + chunk])
        if start + chunk >= length:
            break
        start += chunk - overlap
    got = rag_index_cost(documents=3, tokens_per_document=length, chunk=chunk, overlap=overlap, dimension=10, value_bytes=4, price=2.0, rate=100)
    tokens = 3 * sum(map(len, pieces))
    assert got["chunks"] == 3 * len(pieces) and got["tokens"] == tokens
    assert got["money"] == pytest.approx(tokens * 2e-6) and got["time"] == pytest.approx(tokens / 100)
    assert got["index"] == 3 * len(pieces) * 40 and got["inflation"] == pytest.approx(tokens / 3 / length)
    assert got["sample_time"] == pytest.approx(got["time"] / 100) and got["sample_money"] == pytest.approx(got["money"] / 100)


def test_budget_and_deadline():
    got = rag_index_cost(tokens_per_document=5000, price=0.1)
    assert got["money"] == pytest.approx(5000) and got["tokens_for_budget"] == pytest.approx(5000)
    assert got["passes"] * got["time"] == pytest.approx(7 * 86_400)
    assert got["rate_needed"] == pytest.approx(38.58, abs=0.01)
    with pytest.raises(KernelError, match="less than chunk"):
        rag_index_cost(chunk=10, overlap=10)
