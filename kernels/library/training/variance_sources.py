"""Where the spread between runs comes from: many small networks that differ in one source of randomness, or in all.

A network with one hidden layer learns noisy labels of a random teacher; `runs` of them are trained side by side, in float64. A source that does not
vary keeps its first draw. All are scored on one fixed test set of 5,000 examples, except for "together", whose networks meet fresh test sets, of
`test` examples each. Sources weigh differently from teacher to teacher: one draw is one teacher. The protocol, one source at a time and then all, is
that of Bouthillier et al. 2021, arXiv 2103.03098, section 2. What a test set adds needs no drawing: sd sqrt(p (1 - p) / test).
"""

from typing import Annotated

from kernels import Bound, Free, kernel

SOURCES = ("start", "order", "dropout", "sample")
INPUTS, HIDDEN, BATCH, LARGE = 16, 24, 50, 5000


@kernel(
    kind="simulation",
    outputs=dict.fromkeys(("accuracy", "start", "order", "dropout", "seeds", "sample", "test_set", "together", "same_seed"), ""),
    tolerance=0.02,
)
def variance_sources(
    train: Annotated[int, Bound(low=100, high=5000), Free(150, 600)] = 300,
    test: Annotated[int, Bound(low=100, high=10_000)] = 1000,
    flipped: Annotated[float, Bound(low=0.0, high=0.4), Free(0.0, 0.2)] = 0.1,
    epochs: Annotated[int, Bound(low=1, high=50), Free(5, 20)] = 10,
    runs: Annotated[int, Bound(low=3, high=200)] = 20,
    seed: int = 0,
):
    """The standard deviation of a small network's accuracy over runs, in points, by the source of randomness that differs between them.

    start: initial weights; order: of the examples; dropout: masks; seeds: these three at once. sample: which training examples were collected;
    test_set: which test examples, the binomial's. together: all at once. same_seed: nothing differs. accuracy is a share of 1. Free: train, the
    examples, half to twice; flipped, the share of wrong labels, from none to a fifth; and epochs, half to twice.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    teacher = normal(random, INPUTS, 8), normal(random, 8)

    def examples(*shape: int):
        x = normal(random, *shape, INPUTS)
        y = ((x @ teacher[0]).tanh() @ teacher[1] > 0).double()
        return x, torch.where(torch.rand(*shape, generator=random) < flipped, 1 - y, y)

    groups: dict[str, tuple[str, ...]] = {name: (name,) for name in SOURCES} | {"seeds": SOURCES[:3], "together": SOURCES, "same_seed": ()}
    take = {source: torch.cat([torch.arange(runs) * (source in varied) for varied in groups.values()]) for source in SOURCES}
    x, y = examples(runs, train)
    weights = [normal(random, runs, INPUTS, HIDDEN) / INPUTS**0.5, normal(random, runs, HIDDEN, 1) / HIDDEN**0.5]
    trained = fit([w[take["start"]] for w in weights], x, y, take, train, epochs, runs, random)

    x, y = examples(LARGE)
    accuracy = {name: right(trained, slice(i * runs, (i + 1) * runs), x, y) for i, name in enumerate(groups)}  # each [runs, LARGE]
    sds = {name: spread(found.mean(-1)) for name, found in accuracy.items()}
    draws = torch.randint(LARGE, (runs, test), generator=random)
    sds["together"] = spread(accuracy["together"].gather(1, draws).mean(-1))
    p = accuracy["same_seed"][0].mean()
    sds["test_set"] = (p * (1 - p) / test).sqrt()
    return {"accuracy": p} | {name: 100 * float(sd) for name, sd in sds.items()}


@variance_sources.invariant
def nothing_differs_where_nothing_is_drawn(result) -> bool:
    """With every source kept, all runs give the same accuracy; each source that varies spreads them, and so do all together.

    Those are judged by `test` examples alone, of which three runs may answer equally many; ten do not.
    """
    varied = (*SOURCES, "seeds", *["together"] * (result.parameters["runs"] >= 10))
    return result["same_seed"] == 0 and all(result[source] > 0 for source in varied)


def spread(values):
    """Standard deviation, and exactly zero where all are equal, which their rounded mean would not give."""
    return (values - values[0]).std()


def normal(random, *shape: int):
    import torch

    return torch.randn(*shape, generator=random, dtype=torch.float64)


def fit(weights, x, y, take, train: int, epochs: int, runs: int, random, rate: float = 0.2, momentum: float = 0.9, keep: float = 0.9):
    """Gradient descent of all networks at once; x [runs, train, inputs], y [runs, train]; `take` names each network's draw by source."""
    import torch

    first, second = (w.clone() for w in weights)
    speed = torch.zeros_like(first), torch.zeros_like(second)
    for _ in range(epochs):
        order = torch.rand(runs, train, generator=random).argsort(1)[take["order"]]
        for start in range(0, train - BATCH + 1, BATCH):
            which = order[:, start : start + BATCH]
            mask = (torch.rand(runs, BATCH, HIDDEN, generator=random) < keep)[take["dropout"]] / keep
            inputs, labels = x[take["sample"][:, None], which], y[take["sample"][:, None], which]
            hidden = (inputs @ first).tanh()
            error = (((hidden * mask) @ second)[..., 0].sigmoid() - labels)[..., None] / BATCH  # the loss' slope at the logit
            inner = error @ second.mT * mask * (1 - hidden.square())
            speed = momentum * speed[0] + inputs.mT @ inner, momentum * speed[1] + (hidden * mask).mT @ error
            first, second = first - rate * speed[0], second - rate * speed[1]
    return first, second


def right(trained, part, x, y):
    """Whether each network of the part answers each example rightly, float64 [networks, examples]."""
    return (((x @ trained[0][part]).tanh() @ trained[1][part])[..., 0] > 0).double().eq(y).double()


@variance_sources.figure
def draw(result, ax):
    from kernels import plot

    names = {"all at once": "together", "test set": "test_set", "training sample": "sample", "all three seeds": "seeds"}
    names |= {"initial weights": "start", "data order": "order", "dropout": "dropout"}
    plot.bars(ax, {name: result[key] for name, key in names.items()}, "points", highlight="training sample")
    return "Standard deviation of the accuracy, in points: " + ", ".join(f"{name} {result[key]:.2f}" for name, key in names.items()) + "."
