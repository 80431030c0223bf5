"""One batch learned by heart, with its own labels and with the same labels shuffled: training cannot tell the two apart, new data can.

The label is the sign of one direction of a normal input; the network is one hidden layer of 128 ReLUs under Adam. With shuffled
labels no rule links input and label, so the accuracy on new data is 1/2 whatever was learned (Zhang et al. 2016, arXiv 1611.03530).
"""

from typing import Annotated

from kernels import Bound, kernel

RUNS = ("right", "shuffled")


@kernel(
    kind="simulation",
    outputs={f"{run}_{what}": "" for run in RUNS for what in ("train_loss", "train_accuracy", "new_loss", "new_accuracy")},
    tolerance=0.05,
)
def shuffled_labels(
    n: Annotated[int, Bound(low=8, high=512)] = 64,
    features: Annotated[int, Bound(low=2, high=64)] = 20,
    steps: Annotated[int, Bound(low=1, high=1000)] = 150,
    seed: int = 0,
):
    """Loss and accuracy on one batch of n and on 2,000 new inputs after `steps` full-batch steps, means over 8 batches, each with its own network."""
    import torch

    random = torch.Generator().manual_seed(seed)
    x, new = torch.randn(8, n, features, generator=random), torch.randn(2000, features, generator=random)
    labels, new_labels = (x[..., 0] > 0).float(), (new[:, 0] > 0).float().expand(8, -1)
    orders = torch.stack([torch.randperm(n, generator=random) for _ in range(8)])
    shapes = ((8, features, 128), (8, 1, 128), (8, 128, 1))
    start = [torch.randn(s, generator=random) * size for s, size in zip(shapes, ((2 / features) ** 0.5, 0.0, 128**-0.5))]
    found = {}
    for run, taught in (("right", labels), ("shuffled", labels.gather(1, orders))):
        answer = learned(x, taught, [w.clone().requires_grad_() for w in start], steps)
        for place, inputs, truth in (("train", x, taught), ("new", new, new_labels)):
            with torch.no_grad():
                logits = answer(inputs)
            found[f"{run}_{place}_loss"] = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth)
            found[f"{run}_{place}_accuracy"] = ((logits > 0) == (truth > 0)).double().mean()
    return found


def learned(x, labels, weights, steps: int):
    """The trained networks, side by side, as a function of their inputs."""
    import torch

    def answer(inputs):
        return (torch.relu(inputs @ weights[0] + weights[1]) @ weights[2])[..., 0]

    optimizer = torch.optim.Adam(weights, lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        (torch.nn.functional.binary_cross_entropy_with_logits(answer(x), labels) * len(x)).backward()
        optimizer.step()
    return answer
