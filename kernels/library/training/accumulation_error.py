"""Is accumulating gradients over micro-batches the same as one large batch? The relative error of the gradient, by loss and by arithmetic.

    error = ||g_accumulated - g_large|| / ||g_large||

The gradient of a sum is the sum of gradients, so it is exact wherever the large batch's loss is a sum over examples with a common
normaliser. It is not where the loss of an example depends on the others: batch statistics, or in-batch negatives (GradCache, Gao et al.
2021, arXiv 2101.06983). The models are small and their data random, so that sizes of the errors are examples, over what was chosen.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

LENGTH = 64  # tokens of a micro-batch in the median
SPREADS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


@kernel(
    kind="simulation",
    outputs={
        **{f"error_{how}": "" for how in ("total", "means", "bf16", "batchnorm", "contrastive")},
        "imbalance": "",
        "sweep": Series("spread", ""),
    },
    draws=64,
    tolerance=1e-3,
)
def accumulation_error(
    micro_batches: Annotated[int, Bound(low=2, high=32), Free(4, 32)] = 8,
    spread: Annotated[float, Bound(low=0.0, high=2.0), Free(0.25, 1.5)] = 1.0,
    rows: Annotated[int, Bound(low=2, high=256), Free(4, 64)] = 16,
    width: Annotated[int, Bound(low=2, high=256), Free(8, 64)] = 16,
    seed: int = 0,
):
    """Errors of the accumulated gradient: one token count for all, mean of means, bf16 accumulator, batch norm, in-batch negatives.

    imbalance: the largest token count of a micro-batch over the smallest. sweep: the mean of means' error against the spread.

    micro_batches: a few to a few dozen are usual; two may have as many tokens by chance. spread: standard deviation of the logarithm of a
    micro-batch's token count, from packed sequences' hardly any to that of unsorted answers. rows: examples of a micro-batch for batch norm and
    negatives. width: of the model, which has as many classes and 4 more. All four are free, as the question fixes none of them.
    """
    import torch

    classes = width + 4
    random = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    weight, deviates = normal(width, classes) / width**0.5, normal(micro_batches)
    longest = int(LENGTH * (2 * deviates.max().clamp(min=0)).exp()) + 1  # no count is longer, though all be below the median
    x, labels = normal(micro_batches, longest, width), torch.randint(classes, (micro_batches, longest), generator=random)
    texts, images = normal(rows * micro_batches, width), normal(rows * micro_batches, classes)

    def batches(width: float):
        counts = [max(1, round(LENGTH * factor)) for factor in (width * deviates).exp().tolist()]
        return [(x[i, :n], labels[i, :n]) for i, n in enumerate(counts)]

    cut = batches(spread)
    large = gradient(token_sum, weight, *map(torch.cat, zip(*cut))) / sum(len(y) for _, y in cut)
    sizes = [len(y) for _, y in cut]
    return {
        "error_total": error(divided_by_all(weight, cut), large),
        "error_means": error(mean_of_means(weight, cut), large),
        "error_bf16": error(divided_by_all(weight, cut, torch.bfloat16), large),
        **{
            f"error_{loss.__name__}": error(
                sum(gradient(loss, weight, *part) for part in zip(texts.split(rows), images.split(rows))) / micro_batches,
                gradient(loss, weight, texts, images),
            )
            for loss in (batchnorm, contrastive)
        },
        "imbalance": max(sizes) / min(sizes),
        "sweep": {"spread": list(SPREADS), "error": [error(mean_of_means(weight, b), divided_by_all(weight, b)) for b in map(batches, SPREADS)]},
    }


@accumulation_error.invariant
def a_common_normaliser_is_exact(result):
    """One token count for all micro-batches gives the large batch's gradient, up to the rounding of float64; and so do means of equal counts."""
    return result["error_total"] < 1e-12 and result["sweep"].values("error")[0] < 1e-12


@accumulation_error.invariant
def a_bf16_accumulator_costs_its_rounding(result):
    """Adding up in bf16 errs by no more than half a unit in its last place for each micro-batch."""
    return result["error_bf16"] <= result.parameters["micro_batches"] * 2**-8


def gradient(loss, weight, *data):
    import torch

    weight = weight.clone().requires_grad_()
    return torch.autograd.grad(loss(weight, *data), weight)[0]


def divided_by_all(weight, batches, dtype=None):
    """Each micro-batch's summed loss over the token count of all of them, its gradient added to an accumulator of the dtype."""
    import torch

    count = sum(len(labels) for _, labels in batches)
    kept = torch.zeros_like(weight, dtype=dtype)
    for batch in batches:
        kept += (gradient(token_sum, weight, *batch) / count).to(kept.dtype)
    return kept.to(weight.dtype)


def mean_of_means(weight, batches):
    """Each micro-batch's mean loss over the number of micro-batches."""
    return sum(gradient(token_sum, weight, *batch) / len(batch[1]) for batch in batches) / len(batches)


def token_sum(weight, x, labels):
    import torch

    return torch.nn.functional.cross_entropy(x @ weight, labels, reduction="sum")


def batchnorm(weight, x, target):
    """The squared error of a linear layer whose outputs are normalised over the batch."""
    y = x @ weight
    return ((y - y.mean(0)) / (y.var(0, unbiased=False) + 1e-5).sqrt() - target).square().mean()


def contrastive(weight, x, target):
    """InfoNCE: each row finds its own target among those of its batch."""
    import torch

    return torch.nn.functional.cross_entropy(x @ weight @ target.T / target.shape[1] ** 0.5, torch.arange(len(x)))


def error(found, expected):
    return (found - expected).norm() / expected.norm()
