"""What a query costs in an inverted file, and what the file takes: centres, codes, ids.

    compared = L + p N / L,   least at L = sqrt(p N),  where it is 2 sqrt(p N)       bytes = N (code + id) + 4 d L

L lists of equal length, p of them read (the Faiss library, arXiv 2401.08281, section 5.1). Lists of unequal length cost more: a query falls into long
ones more often.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "compared": "",
        "share": "",
        "list_length": "",
        "best_lists": "",
        "least": "",
        "codes": "B",
        "ids": "B",
        "centres": "B",
        "total": "B",
        "hnsw": "B",
        "read": "B",
        "saving": "",
        "sweep": Series("lists", ""),
    },
)
def ivf_cost(
    vectors: Annotated[int, Bound(low=100)] = 500_000_000,
    dimension: Annotated[int, Bound(low=1, high=65536)] = 768,
    lists: Annotated[int, Bound(low=1, high=100_000_000)] = 65536,
    probes: Annotated[int, Bound(low=1, high=100_000_000)] = 32,
    code: Annotated[int, Bound("B", low=1, high=262144)] = 96,
    id_bytes: Annotated[int, Bound("B", low=0, high=16)] = 8,
    links: Annotated[int, Bound(low=1, high=1024)] = 16,
):
    """Vectors compared by a query of an IVF index, centres included, and the bytes of the index.

    share: of all vectors, those in the lists read. best_lists, least: the number of lists at which least is compared for these probes, and that
    least. code: bytes that stand for a vector (4 d where it is kept in fp32). hnsw: bytes of fp32 vectors with 2 M links, for comparison; saving:
    hnsw over total. read: bytes of codes that a query reads. sweep: compared over the number of lists.
    """
    if probes > lists or lists > vectors:
        raise KernelError(f"ivf_cost: probes must be at most lists, and lists at most vectors (has {probes}, {lists}, {vectors})")
    best = math.sqrt(probes * vectors)
    total = vectors * (code + id_bytes) + 4 * dimension * lists
    hnsw = vectors * (4 * dimension + 8 * links)
    shown = [best * 2.0 ** (k / 2) for k in range(-16, 17)]
    return {
        "compared": lists + probes * vectors / lists,
        "share": probes / lists,
        "list_length": vectors / lists,
        "best_lists": best,
        "least": 2 * best,
        "codes": vectors * code,
        "ids": vectors * id_bytes,
        "centres": 4 * dimension * lists,
        "total": total,
        "hnsw": hnsw,
        "read": probes / lists * vectors * code,
        "saving": hnsw / total,
        "sweep": {"lists": shown, "compared": [count + probes * vectors / count for count in shown]},
    }


@ivf_cost.figure
def draw(result, ax):
    from kernels import plot

    labels = {"compared": ""}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label="lists", y_label="compared with a query")
    plot.mark(ax, result["best_lists"], result["least"], "√(probes × vectors)", where="below")
