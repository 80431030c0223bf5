"""Two rankings merged by reciprocal rank fusion, where their errors are independent and where they are alike.

    score(document) = sum over rankings of 1 / (60 + rank)         (Cormack, Clarke and Buettcher 2009, SIGIR; ranks count from 1)

Each of two rankers scores one relevant document d + noise and all others noise alone, standard normal; the two noises of one document
have the correlation rho. Each list is cut at 100; what is beyond adds nothing.
"""

from typing import Annotated

from kernels import Bound, Free, kernel

QUERIES, DEPTH, CONSTANT, K = 300, 100, 60, 10


@kernel(kind="simulation", outputs={**dict.fromkeys(("first", "second", "fused", "gain", "either", "summed"), "")}, draws=16)
def rank_fusion(
    documents: Annotated[int, Bound(low=101, high=5000), Free(500, 5000)] = 2000,
    separation: Annotated[float, Bound(low=0.0, high=8.0), Free(2.5, 3.5)] = 3.0,
    weaker: Annotated[float, Bound(low=0.0, high=8.0)] = 0.0,
    correlation: Annotated[float, Bound(low=0.0, high=1.0)] = 0.0,
    seed: int = 0,
):
    """Recall at 10 of each ranker, of their fusion, of the sum of their scores; gain: the fusion's over the first's, in points.

    either: the document is in one of both lists' ten. separation: the relevant document's lead in standard deviations; it and the number of documents
    are a toy's, so free. weaker: by how much the second ranker's lead is smaller, down to none at all.
    """
    import torch

    numbers = torch.Generator().manual_seed(seed)
    shared, own = (torch.randn(n, QUERIES, documents, generator=numbers) for n in (1, 2))
    scores = correlation**0.5 * shared + (1 - correlation) ** 0.5 * own
    scores[0, :, 0] += separation
    scores[1, :, 0] += max(0.0, separation - weaker)
    ranks = scores.argsort(dim=-1, descending=True).argsort(dim=-1) + 1
    votes = torch.where(ranks <= DEPTH, 1.0 / (CONSTANT + ranks.double()), torch.zeros((), dtype=torch.float64)).sum(0)
    mine = votes[:, :1]
    ahead = (votes > mine).sum(1) + (votes == mine).sum(1).sub(1) / 2  # ties are broken by a coin
    hit = ranks[:, :, 0] <= K
    total = scores.sum(0)
    first, second = (float(h.double().mean()) for h in hit)
    fused = float(((ahead < K) & (mine[:, 0] > 0)).double().mean())
    return {
        "first": first,
        "second": second,
        "fused": fused,
        "gain": fused - first,
        "either": float(hit.any(0).double().mean()),
        "summed": float(((total > total[:, :1]).sum(1) < K).double().mean()),
    }


@rank_fusion.invariant
def either_is_no_less_than_each(result) -> bool:
    """Both lists' tens together hold what each holds, and no more than the two added."""
    return result["either"] >= max(result["first"], result["second"]) - 1e-12 and result["either"] <= result["first"] + result["second"] + 1e-12
