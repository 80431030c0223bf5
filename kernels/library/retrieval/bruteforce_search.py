"""Exact nearest neighbours on a GPU: every score by one matrix product, then the k largest, over a million vectors and more.

    scores = V q,   V [vectors, dimension], q [dimension, queries];    bytes read = 4 vectors dimension, FLOP = 2 vectors dimension queries

For one query each value is read for two FLOP, so time follows bytes and is linear in the number of vectors; many queries share one reading
(Johnson, Douze and Jegou 2017, arXiv 1702.08734, section 5). Unit vectors in fp32, so that the largest product is the nearest in cosine and in L2.
"""

from functools import partial
from typing import Annotated, Any

from kernels import Bound, KernelError, Series, kernel, precision, timing

SIZES = (1_000_000, 2_000_000, 5_000_000, 10_000_000)
QUERIES = (1, 64)
LATENT = 32  # directions in which the vectors vary much: embeddings vary in far fewer than they have components
NOISE = 0.3
PART = 100_000  # vectors made, and compared with float64, at a time


@kernel(
    kind="measurement",
    outputs={
        "bytes": "B",
        "time_1": "s",
        "time_64": "s",
        "time_per_query_64": "s",
        "select_share_1": "",
        "select_share_64": "",
        "bandwidth": "B/s",
        "of_reading": "",
        "ceiling": "B/s",
        "time_10m": "s",
        "largest": "",
        "recall": "",
        "error": "",
        "sweep": Series("vectors", "s"),
    },
    timeout=300,
    memory=lambda vectors, dimension: 4 * vectors * (dimension + 2 * max(QUERIES)) + 8 * min(vectors, PART) * dimension,
    rehearsal={"vectors": 1000, "dimension": 256, "SIZES": (1000,), "PART": 300},
    headline="time_1",
    share="of_reading",
    seconds=30,
)
def bruteforce_search(
    vectors: Annotated[int, Bound(low=1000)] = 1_000_000,
    dimension: Annotated[int, Bound(low=8, high=8192)] = 768,
    k: Annotated[int, Bound(low=1, high=1000)] = 10,
):
    """Time to find the k nearest of `vectors` fp32 vectors exactly, for one query and for 64 at once; the sweep goes to what fits, 10M at most.

    time_per_query_64: the time of 64 over 64. select_share: what finding the k largest of the scores takes of the time. bandwidth: the vectors'
    bytes over the time of one query's product; of_reading: over the bandwidth of reading alone, measured in turns. time_10m: one query over ten
    million vectors, scaled by bytes from the `largest` count that fits where ten million do not. recall: share of the float64 ranking's first k
    that was found. error: largest of the scores.
    """
    device = timing.device()
    fitting = int(0.6 * timing.free_memory()) // (4 * dimension + 4 * max(QUERIES))
    if vectors > fitting:
        raise KernelError(f"bruteforce_search: {vectors} vectors of {dimension} do not fit; at most {fitting} do on this GPU")
    sizes = [vectors, *(size for size in SIZES if vectors < size <= fitting)]
    v, q = points(sizes[-1], dimension, device), points(max(QUERIES), dimension, device, seed=1)
    error, recall = verified(v[:vectors], q[:4], k)
    reading, size = timing.reading(), 4 * vectors * dimension
    parts: dict[str, Any] = {f"scores {count}": partial(scores, v[:vectors], q[:count]) for count in QUERIES}
    turns = timing.in_turns(**searches(v[:vectors], q, k), **parts, reading=reading.function)
    larger = [timing.in_turns(**searches(v[:n], q, k)) for n in sizes[1:]]
    found = {count: [each[f"search {count}"] for each in (turns, *larger)] for count in QUERIES}
    return {
        "bytes": size,
        "time_1": found[1][0],
        "time_64": found[64][0],
        "time_per_query_64": found[64][0] / 64,
        **{f"select_share_{count}": max(0.0, 1 - turns.ratio(f"scores {count}", f"search {count}").value) for count in QUERIES},
        "bandwidth": size / turns["scores 1"],
        "of_reading": turns.ratio("reading", "scores 1") * (size / reading.work),
        "ceiling": reading.work / turns["reading"],
        "time_10m": found[1][-1] * (10_000_000 / sizes[-1]),
        "largest": sizes[-1],
        "recall": recall,
        "error": error,
        "sweep": {"vectors": sizes, "1 query": found[1], "64 queries": found[64]},
    }


def points(count: int, dimension: int, device: str, seed: int = 0):
    """Unit vectors [count, dimension] around a subspace of LATENT dimensions, the same subspace for every seed."""
    import torch

    generator = torch.Generator(device=device)
    basis = torch.randn(LATENT, dimension, generator=generator.manual_seed(1234), device=device)
    generator.manual_seed(seed)
    out = torch.empty(count, dimension, device=device)
    for part in out.split(PART):
        latent = torch.randn(len(part), LATENT, generator=generator, device=device)
        part.normal_(generator=generator).mul_(NOISE * LATENT**0.5).addmm_(latent, basis)
        part.div_(part.norm(dim=1, keepdim=True))
    return out


def scores(v, q):
    """The products of all vectors with the queries, [queries, vectors], in full fp32."""
    with precision.matrix_precision("fp32"):
        return (v @ q[0]).unsqueeze(0) if len(q) == 1 else q @ v.T


def search(v, q, k: int):
    """(scores, places) of each query's k nearest, the nearest first."""
    return scores(v, q).topk(k, dim=1)


def searches(v, q, k: int) -> dict[str, Any]:
    """Functions that search for one query, and for all at once."""
    return {f"search {count}": partial(search, v, q[:count], k) for count in QUERIES}


def verified(v, q, k: int) -> tuple[float, float]:
    """The largest error of the scores against float64, and the share of the float64 ranking's first k that the search finds."""
    import torch

    exact = torch.cat([q.double() @ part.double().T for part in v.split(PART)], dim=1)
    error = precision.error_against(exact, scores(v, q), 1e-5)
    wanted, places = exact.topk(k, dim=1).indices, search(v, q, k)[1]
    return error, float((wanted.unsqueeze(2) == places.unsqueeze(1)).any(2).double().mean())


@bruteforce_search.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES
    from kernels.library.retrieval.exact_search import exact_search

    gpu, shape = result.made["device_class"], {name: result.parameters[name] for name in ("vectors", "dimension")}
    return exact_search(**shape, gpu=gpu)["time"] if gpu in DEVICES else None


@bruteforce_search.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], x_label="vectors", y_label="time of a search", labels={"1 query": "1 query", "64 queries": "64 at once"})
