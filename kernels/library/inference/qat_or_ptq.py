"""A small network rounded after its training (PTQ), and trained on with the rounding in its forward pass (QAT).

    forward: Q(W),  backward: dL/dW = dL/dQ(W), as if Q were the identity (straight-through; Bengio et al. 2013, arXiv 1308.3432)

A student with one hidden layer learns a fixed random teacher in fp32. Its weights, a scale for each output channel, are then rounded to nearest:
PTQ. QAT goes on from the same weights with the same data (Jacob et al. 2017, arXiv 1712.05877). Control: as many further steps in fp32,
then rounding. The error is the mean squared error on fresh inputs over the variance of the targets: 1 for predicting nothing.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

INPUTS, TRAIN, TEST = 16, 1024, 2048


@kernel(
    kind="simulation",
    outputs={**dict.fromkeys(("full", "ptq", "qat", "longer", "longer_ptq", "regained"), ""), "sweep": Series("bits", "")},
    tolerance=0.1,
    draws=8,
)
def qat_or_ptq(
    bits: Annotated[int, Bound(low=2, high=8)] = 3,
    steps: Annotated[int, Bound(low=10, high=5000)] = 400,
    further: Annotated[int, Bound(low=1, high=5000), Free(100, 800)] = 200,
    hidden: Annotated[int, Bound(low=4, high=1024), Free(32, 128)] = 64,
    seed: int = 0,
):
    """Error of a small student network in fp32, rounded after training (PTQ), and after quantisation-aware training (QAT).

    longer: trained on in fp32 for QAT's steps; longer_ptq: then rounded. regained: the share of PTQ's added error that QAT takes back,
    against the network trained on; without meaning where PTQ adds next to none (8 bits). sweep: error over bits.

    How long QAT trains on and how wide the student is are free choices: further and hidden.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the matrices are too small to share
    try:
        return trained(bits, steps, further, hidden, seed)
    finally:
        torch.set_num_threads(threads)


def trained(bits: int, steps: int, further: int, hidden: int, seed: int):
    import torch

    random = torch.Generator().manual_seed(seed)

    def matrix(rows: int, columns: int):
        return torch.randn(rows, columns, generator=random) / columns**0.5

    teacher = [2 * matrix(32, INPUTS), matrix(1, 32)]
    x, fresh = (torch.randn(number, INPUTS, generator=random) for number in (TRAIN, TEST))
    y, target = network(x, teacher), network(fresh, teacher)
    spread = y.std()
    y, target = y / spread, target / spread
    start = [matrix(hidden, INPUTS), matrix(1, hidden)]

    def error(weights) -> float:
        return ((network(fresh, weights) - target).square().mean() / target.var()).item()

    def train(weights, count: int, rate: float, b: int = 0):
        weights = [w.clone().requires_grad_() for w in weights]
        optimizer = torch.optim.Adam(weights, lr=rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, count)
        for _ in range(count):
            optimizer.zero_grad()
            used = [through(w, b) for w in weights] if b else weights
            (network(x, used) - y).square().mean().backward()
            optimizer.step()
            schedule.step()
        return [w.detach() for w in weights]

    full = train(start, steps, 0.02)
    longer = train(full, further, 0.005)
    kept = [2, 3, 4, 8]
    ptq = {b: error([rounded(w, b) for w in full]) for b in {*kept, bits}}
    qat = {b: error([rounded(w, b) for w in train(full, further, 0.005, b)]) for b in {*kept, bits}}
    longer_ptq = error([rounded(w, bits) for w in longer])
    return {
        "full": error(full),
        "ptq": ptq[bits],
        "qat": qat[bits],
        "longer": error(longer),
        "longer_ptq": longer_ptq,
        "regained": (longer_ptq - qat[bits]) / (longer_ptq - error(longer)),
        "sweep": {"bits": kept, "ptq": [ptq[b] for b in kept], "qat": [qat[b] for b in kept]},
    }


@qat_or_ptq.invariant
def eight_bits_change_little_and_two_much(result):
    """Rounding a trained network to 8 bits adds at most a tenth to its error, and to 2 bits more than to 8."""
    two, eight = (result["sweep"].values("ptq")[place] for place in (0, -1))
    return eight < 1.1 * result["full"] and two > eight


def network(x, weights):
    import torch

    return torch.tanh(x @ weights[0].T) @ weights[1].T


def rounded(weights, bits: int):
    from kernels.library.inference.quantization_error import nearest

    return nearest(weights, bits, weights.shape[1])


def through(weights, bits: int):
    """Forward the rounded weights, backward the identity."""
    return weights + (rounded(weights, bits) - weights).detach()


@qat_or_ptq.figure
def draw(result, ax):
    from kernels import plot

    labels = {"ptq": "PTQ", "qat": "QAT"}
    plot.lines(ax, result["sweep"], unit="percent", labels=labels, x_label="bits a weight", y_label="unexplained variance", ylog=True)
