"""Product quantisation (PQ): a vector cut into parts, each part replaced by the number of one of 256 centres: a byte a part.

    product ~ sum over parts of (query part . centre of the vector's part): 256 products a part, then a look-up for each byte

(Jegou, Douze and Schmid 2011, Product Quantization for Nearest Neighbor Search, IEEE TPAMI 33(1), sections II and III: asymmetric distance.)
Neighbours differ by less than the codes' error, so the codes alone mix up the first ten. Scoring the best again with full vectors finds them, as far
as they are among the best by code.
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel
from kernels.library.retrieval._vectors import assign, drawn, found, means, nearest

CENTRES = 256
ROUNDS = 6
QUERIES = 200
BYTES = (4, 8, 16, 32)
DEPTHS = (10, 20, 50, 100, 200, 500, 1000)


@kernel(
    kind="simulation",
    outputs={
        "recall": "",
        "rescored": "",
        "saving": "",
        "depth_95": "",
        "by_bytes": Series("bytes a vector", ""),
        "by_depth": Series("rescored", ""),
    },
    draws=8,
    tolerance=0.02,
    timeout=300,
)
def pq_recall(
    vectors: Annotated[int, Bound(low=1000, high=20_000)] = 10_000,
    dimension: Annotated[int, Bound(low=32, high=512)] = 64,
    latent: Annotated[int, Bound(low=1, high=256), Free(16, 64)] = 32,
    code: Annotated[int, Bound("B", low=4, high=32)] = 8,
    depth: Annotated[int, Bound(low=10, high=1000)] = 100,
    seed: int = 0,
):
    """Recall of the ten nearest by codes of `code` bytes, alone and where the `depth` best by code are scored again with full vectors.

    latent: dimensions in which the vectors really vary, free from 16 to 64. saving: bytes of the fp32 vector over those of its code. depth_95: the
    least depth of the tried ones (10 to 1,000) that reaches 95 %, 1,000 where none does. by_bytes: over the codes' bytes, at that depth. by_depth:
    over the depth, with codes of `code` bytes.
    """
    import torch

    if dimension % code or code not in BYTES:
        raise KernelError(f"pq_recall: a code of {code} bytes; it must be one of {', '.join(map(str, BYTES))} and divide the dimension, {dimension}")
    random = torch.Generator().manual_seed(seed)
    points, queries = drawn(vectors, QUERIES, dimension, latent, random)
    truth = nearest(points, queries)
    usable = [size for size in BYTES if dimension % size == 0]
    ranked = {size: (queries @ decoded(points, size, random).T).topk(min(max(DEPTHS), vectors), dim=1).indices for size in usable}
    alone = {size: found(order[:, :10], truth) for size, order in ranked.items()}
    deep = {size: found(order[:, :depth], truth) for size, order in ranked.items()}
    by_depth = {tried: found(ranked[code][:, :tried], truth) for tried in DEPTHS}
    return {
        "recall": alone[code],
        "rescored": deep[code],
        "saving": 4 * dimension / code,
        "depth_95": next((tried for tried in DEPTHS if by_depth[tried] >= 0.95), DEPTHS[-1]),
        "by_bytes": {"bytes a vector": usable, "codes alone": list(alone.values()), "best scored again": list(deep.values())},
        "by_depth": {"rescored": list(DEPTHS), "recall": list(by_depth.values())},
    }


def decoded(points, code: int, random):
    """Each vector as its code says: the centres of its parts, one after the other. Its product with a query is the sum over the look-up tables."""
    import torch

    parts = []
    for part in points.split(points.shape[1] // code, dim=1):
        centres = means(part, min(CENTRES, len(points)), ROUNDS, random)
        parts.append(centres[assign(part, centres)])
    return torch.cat(parts, dim=1)


@pq_recall.invariant
def scoring_more_again_finds_no_less(result) -> bool:
    """Rescored candidates hold those of the codes alone, and deeper ones hold shallower ones."""
    curve = result["by_depth"].values("recall")
    return result["rescored"] >= result["recall"] and all(a <= b for a, b in zip(curve, curve[1:]))


@pq_recall.figure
def draw(result, ax):
    from kernels import plot

    depth = result.parameters["depth"]
    labels = {"codes alone": "codes\nalone", "best scored again": f"best {depth}\nscored\nagain"}
    plot.lines(
        ax,
        result["by_bytes"],
        xlog=True,
        unit="percent",
        labels=labels,
        x_label="bytes a vector",
        y_label="of the ten nearest, found",
        highlight="best scored again",
    )
