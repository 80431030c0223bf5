"""What a gradient tells of the inputs: the first linear layer's, for a softmax with cross-entropy right behind it.

    dL/dW_i = sum_b e_bi x_b,  dL/db_i = sum_b e_bi,  e = (softmax - one-hot) / batch

For one example x = dL/dW_i / dL/db_i for every row i, exactly. For a batch a row gives a weighted mean of the inputs; in the row of an
example's own label that example has by far the largest weight, if no other has the label (Zhu et al. 2019, arXiv 1906.08935, attack whole networks).
"""

from typing import Annotated

from kernels import Bound, Series, kernel


@kernel(
    kind="simulation",
    outputs={
        "error": "",
        "batch_error": "",
        "batch_match": "",
        "chance": "",
        "shared_match": "",
        "aggregate_match": "",
        "sweep": Series("batch", ""),
    },
    tolerance=1e-3,
)
def gradient_leakage(
    inputs: Annotated[int, Bound(low=2, high=4096)] = 784,
    classes: Annotated[int, Bound(low=2, high=4096)] = 1000,
    batch: Annotated[int, Bound(low=1, high=256)] = 8,
    clients: Annotated[int, Bound(low=2, high=1000)] = 100,
    seed: int = 0,
):
    """Reconstruction from the gradient of a random linear classifier: one example, a batch with labels of its own each, one label for all.

    error: largest error of one example's numbers over the largest number, in float64. match: cosine similarity of an input and its
    reconstruction, mean over the batch; batch_error: the root mean square error relative to the input. chance: the highest similarity
    of an input with 100 inputs that have nothing to do with it. shared_match: all examples have one label. aggregate_match: the mean
    gradient of `clients` clients of one example and one label each, labels drawn at random.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    weight = torch.randn(classes, inputs, generator=random, dtype=torch.float64) / inputs**0.5 / 10

    def sample(count: int):
        return torch.randn(count, inputs, generator=random, dtype=torch.float64)

    one = sample(1)
    rows, bias = gradients(weight, one, torch.tensor([0]))
    error = ((rows / bias[:, None] - one).abs().max() / one.abs().max()).item()

    x, own = sample(batch), torch.randperm(classes, generator=random)[:batch] if batch <= classes else torch.arange(batch) % classes
    found = reconstruct(weight, x, own)
    shared = reconstruct(weight, x, torch.zeros(batch, dtype=torch.long))
    crowd = sample(clients)
    labels = torch.randint(0, classes, (clients,), generator=random)
    others = sample(100)
    counts = sorted({1, 2, 4, 8, 16, 32, 64, batch})
    curves: dict[str, list[float]] = {"own label": [], "one label": []}
    for count in counts:
        some = sample(count)
        curves["own label"].append(match(reconstruct(weight, some, torch.randperm(classes, generator=random)[:count] % classes), some))
        curves["one label"].append(match(reconstruct(weight, some, torch.zeros(count, dtype=torch.long)), some))
    return {
        "error": error,
        "batch_error": ((found - x).square().mean() / x.square().mean()).sqrt().item(),
        "batch_match": match(found, x),
        "shared_match": match(shared, x),
        "aggregate_match": match(reconstruct(weight, crowd, labels), crowd),
        "chance": max(match(other[None].expand(1, -1), x[:1]) for other in others),
        "sweep": {"batch": counts, **curves},
    }


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
