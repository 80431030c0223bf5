"""How torch's DistributedSampler shares out a data set: the samples that it repeats or drops, and the order from epoch to epoch.

    each rank gets ceil(samples / ranks); the missing ones are taken from the front again       (drop_last=False)
    each rank gets floor(samples / ranks) and the rest is left out                              (drop_last=True)
    the order is a permutation from the seed (seed + epoch), and epoch changes only through set_epoch

(torch.utils.data.distributed, which is what runs here, on a data set of indices.)
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel


@kernel(
    kind="simulation",
    outputs={
        "per_rank": "",
        "handed_out": "",
        "repeated": "",
        "dropped": "",
        "same_order": "",
        "same_order_set": "",
        "same_rank_set": "",
    },
)
def distributed_sampler(
    samples: Annotated[int, Bound(low=1, high=1_000_000)] = 10_001,
    ranks: Annotated[int, Bound(low=1, high=1024)] = 8,
    drop_last: bool = False,
    seed: int = 0,
):
    """Samples per rank, repeated and dropped in one epoch; the share of positions with the same sample in the next epoch.

    same_order: without set_epoch; same_order_set: with it; same_rank_set: the share of rank 0's samples that are rank 0's again, with
    set_epoch.
    """
    import torch
    from torch.utils.data import TensorDataset
    from torch.utils.data.distributed import DistributedSampler

    if drop_last and samples < ranks:
        raise KernelError(f"distributed_sampler: {samples} samples leave nothing for {ranks} ranks with drop_last: samples must be as many at least")

    data = TensorDataset(torch.arange(samples))

    def handed(epoch: int | None) -> list[list[int]]:
        shares = []
        for rank in range(ranks):
            sampler: DistributedSampler = DistributedSampler(data, num_replicas=ranks, rank=rank, seed=seed, drop_last=drop_last)
            list(sampler)  # the first epoch
            if epoch is not None:
                sampler.set_epoch(epoch)
            shares.append(list(sampler))
        return shares

    first, again, second = handed(0), handed(None), handed(1)
    everything = [sample for share in first for sample in share]

    def same(a: list[list[int]], b: list[list[int]]) -> float:
        return sum(x == y for one, other in zip(a, b) for x, y in zip(one, other)) / len(everything)

    return {
        "per_rank": len(first[0]),
        "handed_out": len(everything),
        "repeated": len(everything) - len(set(everything)),
        "dropped": samples - len(set(everything)),
        "same_order": same(first, again),
        "same_order_set": same(first, second),
        "same_rank_set": len(set(first[0]) & set(second[0])) / len(set(first[0])),
    }


@distributed_sampler.invariant
def every_rank_gets_as_many_and_all_are_accounted_for(result):
    """Ranks times a rank's samples are the data set, plus what is repeated, less what is dropped."""
    samples, ranks = result.parameters["samples"], result.parameters["ranks"]
    return result["handed_out"] == ranks * result["per_rank"] == samples + result["repeated"] - result["dropped"]
