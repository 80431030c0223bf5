"""Embedding a corpus: chunks, tokens, money, time and the index, by counting.

    chunks of a document of L tokens = 1 + ceil((L - c) / (c - o)) for L > c, else 1;  tokens = L + (chunks - 1) o

counted chunk by chunk in the tests. Money is tokens times the price, time is tokens over the rate, the index is one vector a chunk.
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, kernel

DAY = 86_400.0


@kernel(
    kind="formula",
    outputs={
        "chunks": "",
        "tokens": "token",
        "money": "USD",
        "time": "s",
        "index": "B",
        "passes": "",
        "inflation": "",
        "tokens_for_budget": "token",
        "sample_time": "s",
        "sample_money": "USD",
        "rate_needed": "1/s",
    },
)
def rag_index_cost(
    documents: Annotated[int, Bound(low=1, high=10**12)] = 10_000_000,
    tokens_per_document: Annotated[int, Bound("token", low=1, high=10_000_000)] = 1000,
    chunk: Annotated[int, Bound("token", low=2, high=100_000)] = 512,
    overlap: Annotated[int, Bound("token", low=0, high=99_999)] = 0,
    dimension: Annotated[int, Bound(low=1, high=100_000)] = 1024,
    value_bytes: Annotated[int, Bound("B", low=1, high=8)] = 4,
    price: Annotated[float, Bound("USD", low=1e-6, high=1000.0), Free(0.02, 0.13)] = 0.1,
    rate: Annotated[float, Bound("token/s", low=1.0, high=1e12)] = 100_000.0,
    deadline: Annotated[float, Bound("s", low=1.0, high=1e9)] = 7 * DAY,
    budget: Annotated[float, Bound("USD", low=0.01, high=1e12)] = 5000.0,
    sample: Annotated[float, Bound(low=1e-6, high=1.0)] = 0.01,
):
    """Chunks and tokens of a corpus of equal documents, what embedding them costs and takes, and the index of their vectors.

    price: of a million tokens, a premise that ages, free from 2 to 13 cents. passes: how often all of it can be embedded until the deadline;
    tokens_for_budget: tokens that a document may have if the budget is to pay for one pass. sample_*: for that share of the documents. rate_needed:
    documents a second for one pass in three days.
    """
    if overlap >= chunk:
        raise KernelError(f"rag_index_cost: overlap is {overlap}, but must be less than chunk, {chunk}")
    pieces = 1 + max(0, -(-(tokens_per_document - chunk) // (chunk - overlap)))
    each = tokens_per_document + (pieces - 1) * overlap
    tokens = documents * each
    return {
        "chunks": documents * pieces,
        "tokens": tokens,
        "money": tokens / 1e6 * price,
        "time": tokens / rate,
        "index": documents * pieces * dimension * value_bytes,
        "passes": deadline * rate / tokens,
        "inflation": each / tokens_per_document,
        "tokens_for_budget": budget / price * 1e6 / documents,
        "sample_time": sample * tokens / rate,
        "sample_money": sample * tokens / 1e6 * price,
        "rate_needed": documents / (3 * DAY),
    }
