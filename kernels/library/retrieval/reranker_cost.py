"""What it takes to score a query with documents: one product, a product for each pair of tokens (MaxSim), or a pass through a transformer.

    bi-encoder         2 d                          a document's one vector is made beforehand
    late interaction   2 q t c                      q query tokens, t document tokens, c numbers each, made beforehand (ColBERT, arXiv 2004.12832)
    cross-encoder      L (24 d^2 T + 4 d T^2)       T = q + t tokens through L layers of width d, nothing of which can be made beforehand

The last is the forward pass of a BERT-like encoder: four projections d x d and an MLP four times as wide, scores and their product with V for all
pairs of tokens. Embeddings, norms and the head are left out, and so is encoding the query, a pass of q tokens, which the first two need as well.
"""

from typing import Annotated

from kernels import Bound, Free, Lower, Series, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.machines._reach import between, reach
from kernels.library.models._encoder import encoded


@kernel(
    kind="formula",
    outputs={
        "pair": "FLOP",
        "query": "FLOP",
        "corpus": "FLOP",
        "late_pair": "FLOP",
        "single_pair": "FLOP",
        "over_late": "",
        "over_single": "",
        "corpus_over_query": "",
        "time": Lower("s"),
        "expected": "s",
        "corpus_time": Lower("s"),
        "corpus_expected": "s",
        "single_bytes": "B",
        "late_bytes": "B",
        "late_over_single": "",
        "within": "",
        "sweep": Series("candidates", "s"),
    },
)
def reranker_cost(
    layers: Annotated[int, Bound(low=1, high=200)] = 12,
    width: Annotated[int, Bound(low=8, high=65536)] = 768,
    query_tokens: Annotated[int, Bound("token", low=1, high=8192)] = 32,
    document_tokens: Annotated[int, Bound("token", low=1, high=8192)] = 268,
    candidates: Annotated[int, Bound(low=1, high=1_000_000)] = 100,
    documents: Annotated[int, Bound(low=1), Free(1_000, 100_000_000)] = 10_000_000,
    late_width: Annotated[int, Bound(low=1, high=65536)] = 128,
    late_bytes_each: Annotated[int, Bound("B", low=1, high=8)] = 2,
    budget: Annotated[float, Bound("s", low=1e-4, high=60.0)] = 0.1,
    gpu: Gpu = "h100",
):
    """FLOP and least time of scoring a query with its candidates by a cross-encoder in 16 bits, with the whole corpus, and by the cheaper ways.

    documents: free from a thousand, one team's wiki, to a hundred million, a large collection. time: of the candidates, arithmetic at the data
    sheet's peak; expected: at the share of it that published products reach. single_bytes, late_bytes: what a document takes as one vector of the
    same width in fp32, and as one of late_width for each token. within: candidates that fit the budget at the peak. sweep: the time over the
    candidates.
    """
    device = DEVICES[gpu]
    pair = encoded(layers, width, query_tokens + document_tokens)
    late, single = 2 * query_tokens * document_tokens * late_width, 2 * width
    product = reach("product", gpu, "arithmetic")
    one = pair / device.half
    shown = [1, 10, 30, 100, 300, 1000]
    return {
        "pair": pair,
        "query": pair * candidates,
        "corpus": pair * documents,
        "late_pair": late,
        "single_pair": single,
        "over_late": pair / late,
        "over_single": pair / single,
        "corpus_over_query": documents / candidates,
        "time": one * candidates,
        "expected": between(one * candidates / product.high, one * candidates / product.low),
        "corpus_time": one * documents,
        "corpus_expected": between(one * documents / product.high, one * documents / product.low),
        "single_bytes": 4 * width,
        "late_bytes": document_tokens * late_width * late_bytes_each,
        "late_over_single": document_tokens * late_width * late_bytes_each / (4 * width),
        "within": budget / one,
        "sweep": {"candidates": shown, "time": [one * count for count in shown]},
    }


@reranker_cost.figure
def draw(result, ax):
    from kernels import plot

    plot.bars(
        ax,
        {"cross-encoder": result["pair"], "late interaction": result["late_pair"], "one vector each": result["single_pair"]},
        "FLOP",
        highlight="cross-encoder",
    )
