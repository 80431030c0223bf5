"""One batch learned by heart, with its own labels and with the same labels shuffled: training cannot tell the two apart, new data can.

The label is the sign of one direction of a normal input; the network is one hidden layer of ReLUs under Adam. With shuffled labels no rule
links input and label, so the accuracy on new data is 1/2 whatever was learned (Zhang et al. 2016, arXiv 1611.03530).
"""

from typing import Annotated

from kernels import Bound, Free, kernel

RUNS = ("right", "shuffled")


@kernel(
    kind="simulation",
    outputs={f"{run}_{what}": "" for run in RUNS for what in ("train_loss", "train_accuracy", "new_loss", "new_accuracy")},
    tolerance=0.05,
)
def shuffled_labels(
    n: Annotated[int, Bound(low=8, high=512)] = 64,
    features: Annotated[int, Bound(low=2, high=64), Free(10, 50)] = 20,
    width: Annotated[int, Bound(low=8, high=1024), Free(64, 512)] = 128,
    steps: Annotated[int, Bound(low=1, high=1000), Free(300, 600)] = 300,
    seed: int = 0,
):
    """Loss and accuracy on one batch of n and on 2,000 new inputs after `steps` full-batch steps, of one network for each labelling.

    Free: features, of which one counts, from 10 to 50 so that a batch neither fills the space nor leaves it empty; width, 64 to 512 hidden
    units, which fit the batch; and steps, 300 to 600 at Adam's rate of 0.01, after which it is learned.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    x, new = torch.randn(n, features, generator=random), torch.randn(2000, features, generator=random)
    labels, new_labels = (x[:, 0] > 0).float(), (new[:, 0] > 0).float()
    order = torch.randperm(n, generator=random)
    shapes = ((features, width), (width,), (width, 1))
    start = [torch.randn(s, generator=random) * size for s, size in zip(shapes, ((2 / features) ** 0.5, 0.0, width**-0.5))]
    found = {}
    for run, taught in (("right", labels), ("shuffled", labels[order])):
        answer = learned(x, taught, [w.clone().requires_grad_() for w in start], steps)
        for place, inputs, truth in (("train", x, taught), ("new", new, new_labels)):
            with torch.no_grad():
                logits = answer(inputs)
            found[f"{run}_{place}_loss"] = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth)
            found[f"{run}_{place}_accuracy"] = ((logits > 0) == (truth > 0)).double().mean()
    return found


@shuffled_labels.invariant
def a_batch_learned_right_says_more_of_new_data(result) -> bool:
    """Trained long by a net wide enough, up to 64 examples are fitted under both labellings; and 32 or more, which outnumber the features by a
    quarter, teach more of new data with the right one."""
    given = result.parameters
    long = given["steps"] >= 300 and given["width"] >= 64 and given["features"] >= 10
    many = given["n"] >= max(32, 1.25 * given["features"])
    fitted = result["right_train_accuracy"] == result["shuffled_train_accuracy"] == 1
    better = result["right_new_accuracy"] > result["shuffled_new_accuracy"]
    return not long or ((fitted or given["n"] > 64) and (better or not many))


def learned(x, labels, weights, steps: int):
    """The trained network as a function of its inputs."""
    import torch

    def answer(inputs):
        return (torch.relu(inputs @ weights[0] + weights[1]) @ weights[2])[..., 0]

    optimizer = torch.optim.Adam(weights, lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(answer(x), labels).backward()
        optimizer.step()
    return answer
