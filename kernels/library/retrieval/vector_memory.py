"""What an index of vectors takes: the vectors, a graph's links, or codes; and what reading all of it once costs.

    flat   n d b                                HNSW   n (d b + 8 M)  (4-byte links: 2 M in the bottom layer; the layers above add a few percent)
    PQ     n m  (m bytes a vector)

(Malkov and Yashunin 2016, arXiv 1603.09320, section 4.2.3; Jegou et al. 2011, product quantisation, IEEE TPAMI 33(1).)
"""

from typing import Annotated

from kernels import Bound, Free, Lower, kernel
from kernels.library.machines._devices import DEVICES


@kernel(
    kind="formula",
    outputs={
        "flat": "B",
        "links": "B",
        "hnsw": "B",
        "int8": "B",
        "binary": "B",
        "pq": "B",
        "pq_saving": "",
        "links_share": "",
        "read_time": Lower("s"),
    },
)
def vector_memory(
    vectors: Annotated[int, Bound(low=1)] = 1_000_000,
    dimension: Annotated[int, Bound(low=1)] = 768,
    value_bytes: Annotated[int, Bound("B", low=1, high=8)] = 4,
    links: Annotated[int, Bound(low=1)] = 16,
    pq_bytes: Annotated[int, Bound("B", low=1), Free(96, 320)] = 96,
    bandwidth: Annotated[float, Bound("B/s", low=1)] = DEVICES["h100"].bandwidth,
):
    """Bytes of flat vectors, of HNSW over them (M = links), of int8, binary and product-quantised codes; time to read the flat ones once.

    read_time: flat over bandwidth, the least that a scan of all vectors takes (the default is the data sheet's rate of an H100 SXM).
    links_share: of the HNSW index, what its links take. How many bytes a code takes is bought with recall, so pq_bytes is free.
    """
    flat, graph = vectors * dimension * value_bytes, vectors * 2 * links * 4
    return {
        "flat": flat,
        "links": graph,
        "hnsw": flat + graph,
        "int8": vectors * dimension,
        "binary": vectors * dimension / 8,
        "pq": vectors * pq_bytes,
        "pq_saving": dimension * value_bytes / pq_bytes,
        "links_share": graph / (flat + graph),
        "read_time": flat / bandwidth,
    }


@vector_memory.figure
def draw(result, ax):
    from kernels import plot

    m, pq = result.parameters["links"], result.parameters["pq_bytes"]
    plot.bars(ax, {f"HNSW, M = {m}": result["hnsw"], "flat": result["flat"], "int8": result["int8"], f"PQ, {pq} B": result["pq"]}, "B")
