"""A ring all-reduce played through with real numbers: n GPUs, each sends only to the next one, a chunk of 1/n at a time.

    reduce-scatter   n-1 steps: GPU g sends chunk g-k, the next adds it to its own; then g holds the whole sum of chunk g+1
    all-gather       n-1 steps: the finished chunks go round once, and are copied, not added

(Patarasuk and Yuan 2009, Bandwidth Optimal All-reduce Algorithms, JPDC 69(2), section 3.) Each GPU sends n-1 chunks in each
phase, together 2 N (n-1)/n elements. A chunk's sum is built in one order and then copied, so all GPUs end with the same bits.
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel


@kernel(
    kind="simulation",
    outputs={
        "most_sent": "",
        "least_sent": "",
        "scatter_sent": "",
        "gather_sent": "",
        "total_sent": "",
        "naive_total": "",
        "steps": "",
        "error": "",
        "differing": "",
        "held_after_scatter": "",
    },
    tolerance=1e-6,
)
def ring_allreduce(
    gpus: Annotated[int, Bound(low=2, high=256)] = 8,
    elements: Annotated[int, Bound(low=2, high=1_000_000)] = 800,
    seed: int = 0,
):
    """Elements sent by each GPU in a ring all-reduce of fp32 gradients, in each phase, and whether all hold the sum at the end.

    most_sent, least_sent: of one GPU in all; scatter_sent, gather_sent: of one GPU in each phase; naive_total: if everyone sent
    everything to everyone. error: largest difference from the sum in float64, over the largest sum. differing: elements in which
    any two GPUs differ. held_after_scatter: the share of the sums that one GPU holds between the phases.
    """
    import torch

    if elements % gpus:
        raise KernelError(f"ring_allreduce: elements is {elements}, but must be a multiple of gpus, {gpus}: the chunks are equal")
    random = torch.Generator().manual_seed(seed)
    gradients = torch.randn(gpus, gpus, elements // gpus, generator=random)  # GPU, chunk, element
    exact = gradients.double().sum(0)
    sent = torch.zeros(2, gpus, dtype=torch.int64)
    held = gradients.clone()
    reduce_scatter(held, sent[0])
    between = torch.isclose(held.double(), exact, rtol=1e-4, atol=1e-4).all(-1).sum(1).max() / gpus
    all_gather(held, sent[1])
    return {
        "most_sent": sent.sum(0).max(),
        "least_sent": sent.sum(0).min(),
        "scatter_sent": sent[0].max(),
        "gather_sent": sent[1].max(),
        "total_sent": sent.sum(),
        "naive_total": gpus * (gpus - 1) * elements,
        "steps": 2 * (gpus - 1),
        "error": (held.double() - exact).abs().max() / exact.abs().max(),
        "differing": (held != held[0]).any(0).sum(),
        "held_after_scatter": between,
    }


def reduce_scatter(held, sent) -> None:
    """held[g][c]: what GPU g has of chunk c. Afterwards held[g][g+1] is the sum over all."""
    gpus = len(held)
    for k in range(gpus - 1):
        messages = [held[g][(g - k) % gpus].clone() for g in range(gpus)]  # all at once
        for g, message in enumerate(messages):
            held[(g + 1) % gpus][(g - k) % gpus] += message
            sent[g] += message.numel()


def all_gather(held, sent) -> None:
    """Each GPU passes on the finished chunk that it got last."""
    gpus = len(held)
    for k in range(gpus - 1):
        messages = [held[g][(g + 1 - k) % gpus].clone() for g in range(gpus)]
        for g, message in enumerate(messages):
            held[(g + 1) % gpus][(g + 1 - k) % gpus] = message
            sent[g] += message.numel()
