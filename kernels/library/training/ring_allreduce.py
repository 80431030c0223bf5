"""A ring all-reduce played through with real numbers: n GPUs, each sends only to the next one, a chunk of 1/n at a time.

    reduce-scatter   n-1 steps: GPU g sends chunk g-k, the next adds it to its own; then g holds the whole sum of chunk g+1
    all-gather       n-1 steps: the finished chunks go round once, and are copied, not added
    everyone         n-1 steps: each GPU sends all that it has to the k-th next one, which adds it up

(Patarasuk and Yuan 2009, Bandwidth Optimal All-reduce Algorithms, JPDC 69(2), section 3.) Each GPU sends n-1 chunks in each
phase, together 2 N (n-1)/n elements. A chunk's sum is built in one order and then copied, so all GPUs end with the same bits.

What is sent does not depend on the numbers; these are a fixed wave in fp32, whose sums round.
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
        "naive_sent": "",
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
):
    """Elements sent by each GPU in a ring all-reduce of fp32 gradients, in each phase, and whether all hold the sum at the end.

    most_sent, least_sent: of one GPU in all; scatter_sent, gather_sent: of one GPU in each phase; naive_sent, naive_total: of one GPU and of all
    where everyone sends everything to everyone. error: largest difference from the sum in float64, over the largest sum. differing: elements in which
    any two GPUs differ. held_after_scatter: the share of the sums that one GPU holds between the phases.
    """
    import torch

    if elements % gpus:
        raise KernelError(f"ring_allreduce: elements is {elements}, but must be a multiple of gpus, {gpus}: the chunks are equal")
    places = torch.arange(gpus * elements, dtype=torch.float64).reshape(gpus, gpus, elements // gpus)  # GPU, chunk, element
    gradients = (places * places).cos().float()
    exact = gradients.double().sum(0)
    sent = torch.zeros(2, gpus, dtype=torch.int64)
    held = gradients.clone()
    reduce_scatter(held, sent[0])
    naive = everyone(gradients)
    between = torch.isclose(held.double(), exact, rtol=1e-4, atol=1e-4).all(-1).sum(1).max() / gpus
    all_gather(held, sent[1])
    return {
        "most_sent": sent.sum(0).max(),
        "least_sent": sent.sum(0).min(),
        "scatter_sent": sent[0].max(),
        "gather_sent": sent[1].max(),
        "total_sent": sent.sum(),
        "naive_sent": naive.max(),
        "naive_total": naive.sum(),
        "steps": 2 * (gpus - 1),
        "error": (held.double() - exact).abs().max() / exact.abs().max(),
        "differing": (held != held[0]).any(0).sum(),
        "held_after_scatter": between,
    }


@ring_allreduce.invariant
def all_gpus_hold_the_same_sum(result):
    """All GPUs end with the same bits, and these are the sum up to fp32's rounding."""
    return result["differing"] == 0 and result["error"] < 1e-5


@ring_allreduce.invariant
def what_is_sent_is_the_lower_bound(result):
    """No GPU sends more or less than 2 N (n-1)/n, half of it in each phase."""
    least = 2 * result.parameters["elements"] * (result.parameters["gpus"] - 1) // result.parameters["gpus"]
    return result["most_sent"] == result["least_sent"] == least == 2 * result["scatter_sent"] == 2 * result["gather_sent"]


def everyone(gradients):
    """Elements that each GPU sends where each step's messages go to the k-th next one; the sums are checked."""
    import torch

    gpus = len(gradients)
    sent, total = torch.zeros(gpus, dtype=torch.int64), gradients.double()
    for k in range(1, gpus):
        for g in range(gpus):
            total[(g + k) % gpus] += gradients[g].double()
            sent[g] += gradients[g].numel()
    assert torch.allclose(total, gradients.double().sum(0).expand_as(total))
    return sent


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
