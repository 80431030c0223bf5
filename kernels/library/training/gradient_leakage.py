"""What a gradient tells of the inputs: the first linear layer's, for a softmax with cross-entropy right behind it.

    dL/dW_i = sum_b e_bi x_b,  dL/db_i = sum_b e_bi,  e = (softmax - one-hot) / batch

For one example x = dL/dW_i / dL/db_i for every row i, exactly. For a batch a row gives a weighted mean of the inputs; in the row of an
example's own label that example has by far the largest weight, if no other has the label (Zhu et al. 2019, arXiv 1906.08935, attack whole networks).
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel


@kernel(
    kind="simulation",
    outputs={
        "error": "",
        "batch_match": "",
        "chance": "",
        "shared_match": "",
        "aggregate_match": "",
        "sweep": Series("batch", ""),
    },
    draws=192,
    tolerance=1e-3,
)
def gradient_leakage(
    inputs: Annotated[int, Bound(low=2, high=4096)] = 784,
    classes: Annotated[int, Bound(low=2, high=4096)] = 1000,
    batch: Annotated[int, Bound(low=1, high=256)] = 8,
    clients: Annotated[int, Bound(low=2, high=1000)] = 100,
    scale: Annotated[float, Bound(low=1e-3, high=5.0), Free(0.1, 2.0)] = 3**-0.5,
    offset: Annotated[float, Bound(low=0.0, high=5.0), Free(0.0, 1.0)] = 0.0,
    seed: int = 0,
):
    """Reconstruction from the gradient of a random linear classifier: one example, a batch with labels of its own each, one label for all.

    error: largest error of one example's numbers over the largest number, in float64. match: cosine similarity of an input and its
    reconstruction, mean over the batch. chance: the mean similarity of an input with 100 others. shared_match: all examples have one label.
    aggregate_match: the mean gradient of `clients` clients of one example and one label each, labels drawn at random.

    scale: of the logits, torch's own for a new layer; from nearly none to those of a trained one, so it is free between these. offset: of the inputs,
    in their standard deviations; none for normalised inputs, about one for pixels from 0 to 1, so it is free too.
    """
    import torch

    if batch > classes:
        raise KernelError(f"gradient_leakage: batch is {batch}, but must be at most classes, {classes}: each example has a label of its own")
    random = torch.Generator().manual_seed(seed)
    weight = torch.randn(classes, inputs, generator=random, dtype=torch.float64) * (scale / inputs**0.5)

    def sample(count: int):
        return offset + torch.randn(count, inputs, generator=random, dtype=torch.float64)

    one = sample(1)
    rows, bias = gradients(weight, one, torch.tensor([0]))
    error = ((rows / bias[:, None] - one).abs().max() / one.abs().max()).item()

    x, own = sample(batch), torch.randperm(classes, generator=random)[:batch]
    found = reconstruct(weight, x, own)
    shared = reconstruct(weight, x, torch.zeros(batch, dtype=torch.long))
    crowd = sample(clients)
    labels = torch.randint(0, classes, (clients,), generator=random)
    others = sample(100)
    counts = [count for count in sorted({1, 2, 4, 8, 16, 32, 64, batch}) if count <= classes]
    curves: dict[str, list[float]] = {"own label": [], "one label": []}
    for count in counts:
        some = sample(count)
        curves["own label"].append(match(reconstruct(weight, some, torch.randperm(classes, generator=random)[:count]), some))
        curves["one label"].append(match(reconstruct(weight, some, torch.zeros(count, dtype=torch.long)), some))
    return {
        "error": error,
        "batch_match": match(found, x),
        "shared_match": match(shared, x),
        "aggregate_match": match(reconstruct(weight, crowd, labels), crowd),
        "chance": match(others, x[:1].expand_as(others)),
        "sweep": {"batch": counts, **curves},
    }


@gradient_leakage.invariant
def one_example_is_recovered_exactly(result):
    """Dividing a row of the weights' gradient by the bias's gives the one input, up to the rounding of float64."""
    return result["error"] < 1e-9


@gradient_leakage.invariant
def a_batch_of_one_has_nothing_to_be_mixed_with(result):
    """At one example both curves stand at a similarity of 1."""
    return all(abs(points[0].value - 1) < 1e-9 for points in result["sweep"].lines.values())


def gradients(weight, x, labels):
    """Of the mean cross-entropy: dL/dW and dL/db, the bias being zero."""
    import torch

    e = torch.softmax(x @ weight.T, dim=1)
    e[torch.arange(len(x)), labels] -= 1
    e = e / len(x)
    return e.T @ x, e.sum(0)


def reconstruct(weight, x, labels):
    """For each example the quotient of its label's row: [batch, inputs]."""
    rows, bias = gradients(weight, x, labels)
    if not bias[labels].all():
        raise KernelError("gradient_leakage: the classifier is certain, so that its gradient is zero: scale or offset has to be lower")
    return rows[labels] / bias[labels][:, None]


def match(found, x) -> float:
    import torch

    return torch.nn.functional.cosine_similarity(found, x, dim=1).mean().item()


@gradient_leakage.figure
def draw(result, ax):
    from kernels import plot

    labels = {"own label": "a label each", "one label": "all one label"}
    y_label = "cosine similarity with the input"
    plot.lines(ax, result["sweep"], xlog=True, labels=labels, x_label="examples in the batch", y_label=y_label, highlight="own label")
