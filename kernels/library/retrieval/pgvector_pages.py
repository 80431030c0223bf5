"""What an HNSW index of pgvector takes: a vector and its links lie in pages of 8 kB, and none crosses a page.

    element    72 + 8 + value bytes x dimension, links    4 + 2 M x 6, each rounded up to 8; 4 bytes of line pointer each
    page       8192 - 24 of header - 8 of the index's own

(pgvector at e48241b, src/hnsw.h and CreateGraphPages of src/hnswbuild.c: an element and its links stay on one page where they fit one. PostgreSQL's
bufpage.h has the header.) Links of the upper layers, 6 M bytes for a vector in M, are left out: they move nothing where a page has room for them.
"""

from typing import Annotated, Literal

from kernels import Bound, KernelError, Series, kernel

PAGE = 8192
ROOM = PAGE - 24 - 8
LIMIT = {"vector": 2000, "halfvec": 4000, "bit": 64000}
BITS = {"vector": 32, "halfvec": 16, "bit": 1}
DIMENSIONS = tuple(range(256, 2001, 16))


@kernel(
    kind="formula",
    outputs={
        "per_page": "",
        "index": "B",
        "per_vector": "B",
        "plain": "B",
        "over": "",
        "used": "",
        "fits_two": "",
        "dimensions": Series("dimensions", "B"),
    },
)
def pgvector_pages(
    vectors: Annotated[int, Bound(low=1)] = 10_000_000,
    dimension: Annotated[int, Bound(low=1, high=64000)] = 1536,
    type: Literal["vector", "halfvec", "bit"] = "vector",
    links: Annotated[int, Bound(low=4, high=100)] = 16,
):
    """Bytes of a pgvector HNSW index with M = `links`, in whole pages.

    fits_two: the most dimensions of fp32 at which a page holds two vectors. plain: the same vectors and 2 M links of 4 bytes, without pages; over:
    index over plain. used: the share of a page that its vectors and links fill. dimensions: index bytes for each vector of fp32, over the dimension.
    """
    if dimension > LIMIT[type]:
        raise KernelError(f"pgvector_pages: an HNSW index over {type} has to have at most {LIMIT[type]} dimensions, not {dimension}")
    each = entry(dimension, type, links)
    fitting = ROOM // each
    if not fitting:
        raise KernelError(f"pgvector_pages: {dimension} dimensions with M = {links} spill over a page, which is not modelled; give fewer links")
    plain = vectors * (dimension * BITS[type] / 8 + 8 * links)
    index = -(-vectors // fitting) * PAGE
    shown = [d for d in DIMENSIONS if ROOM // entry(d, "vector", links)]
    return {
        "per_page": fitting,
        "index": index,
        "per_vector": PAGE / fitting,
        "plain": plain,
        "over": index / plain,
        "used": fitting * each / ROOM,
        "fits_two": max(0, (ROOM // 2 // 8 * 8 - aligned(4 + 12 * links) - 8 - 80) // 4),
        "dimensions": {
            "dimensions": shown,
            "pages": [PAGE / (ROOM // entry(d, "vector", links)) for d in shown],
            "fp32 and links": [4 * d + 8 * links for d in shown],
        },
    }


def entry(dimension: int, type: str, links: int) -> int:
    """Bytes of a vector's element and its links in a page, line pointers included."""
    element = 72 + 8 + -(-dimension * BITS[type] // 8)
    return aligned(element) + aligned(4 + 2 * links * 6) + 2 * 4


def aligned(size: int) -> int:
    return -(-size // 8) * 8


@pgvector_pages.figure
def draw(result, ax):
    from kernels import plot

    curve = result["dimensions"]
    labels = {"pages": "in pages", "fp32 and links": "without"}
    plot.lines(ax, curve, labels=labels, x_label="dimensions, fp32", y_label="a vector takes", highlight="pages")
    for dimension in (1024, 1536):
        if dimension in curve.x:
            plot.mark(ax, dimension, curve.values("pages")[curve.x.index(dimension)], f"{dimension:,}", where="below")
