"""Vectors that stand for embeddings, their nearest neighbours, and k-means: what the simulations of indexes share.

Embeddings vary in far fewer directions than they have components. So a vector is a normal point of `latent` dimensions, turned into `dimension` by a
random linear map, with a little noise in each component, scaled to length 1; queries are drawn alike.
"""

NOISE = 0.3  # of a component, to what the latent dimensions give it
K = 10  # neighbours that are asked for


def drawn(count: int, queries: int, dimension: int, latent: int, random, noise: float = NOISE):
    """Unit vectors [count, dimension] and queries [queries, dimension], by one generator of torch."""
    import torch

    basis = torch.randn(latent, dimension, generator=random)
    points = torch.randn(count + queries, latent, generator=random) @ basis
    points += noise * latent**0.5 * torch.randn(count + queries, dimension, generator=random)
    points /= points.norm(dim=1, keepdim=True)
    return points[:count], points[count:]


def nearest(vectors, queries, k: int = K):
    """The places of each query's k nearest unit vectors, in float64, the nearest first."""
    return (queries.double() @ vectors.double().T).topk(k, dim=1).indices


def found(places, truth) -> float:
    """Recall: the share of the true neighbours that stand among the places, over all queries. A place of -1 is none."""
    return float((truth.unsqueeze(2) == places.unsqueeze(1)).any(2).double().mean())


def means(points, count: int, rounds: int, random):
    """Lloyd's k-means: centres [count, dimension] that start at points drawn without replacement; an empty one stays where it is."""
    import torch

    centres = points[torch.randperm(len(points), generator=random)[:count]].clone()
    for _ in range(rounds):
        assigned = assign(points, centres)
        sums = torch.zeros_like(centres).index_add_(0, assigned, points)
        sizes = torch.bincount(assigned, minlength=count)
        taken = sizes > 0
        centres[taken] = sums[taken] / sizes[taken, None]
    return centres


def assign(points, centres):
    """The nearest centre of each point, by Euclidean distance."""
    return (points @ centres.T - centres.square().sum(1) / 2).argmax(1)


def graph(vectors, links: int, construction: int):
    """faiss's HNSW over float32 unit vectors, by Euclidean distance, which ranks them as the product does but keeps more digits of it.

    Built by one thread, so that it is the same each time.
    """
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexHNSWFlat(vectors.shape[1], links, faiss.METRIC_L2)
    index.hnsw.efConstruction = construction
    index.add(vectors.numpy())
    return index


def walk(index, queries, truth, beam: int) -> tuple[float, float]:
    """Recall at that beam (efSearch), and the vectors that a query was multiplied with."""
    import faiss
    import torch

    counts = faiss.cvar.hnsw_stats
    counts.reset()
    places = index.search(queries.numpy(), K, params=faiss.SearchParametersHNSW(efSearch=beam))[1]
    return found(torch.from_numpy(places), truth), counts.ndis / len(queries)
