"""What model.eval() switches and what it leaves: dropout and batch norm change, autograd does not.

Each statement about torch is run on random tensors and given as a number: 1 or 0 where it is true or false, and
for outputs the largest difference between two calls on one input, over the largest output.
"""

from typing import Annotated, Any

from kernels import Bound, Free, Series, kernel

MODES = ("train", "eval")


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("eval_has_graph", "no_grad_has_graph", "no_grad_dropout_difference", "eval_children_switched"), ""),
        **{f"{mode}_dropout_difference": "" for mode in MODES},
        **{f"{mode}_company_difference": "" for mode in MODES},
        **{f"{mode}_lone_mean": "" for mode in MODES},
        **{f"{mode}_statistics_moved": "" for mode in MODES},
        "lone_vector_refused": "",
        "calls": Series("call", ""),
    },
    tolerance=1e-4,
)
def eval_mode(
    dropout: Annotated[float, Bound(low=0.0, high=0.9), Free(0.1, 0.5)] = 0.1,
    width: Annotated[int, Bound(low=4, high=4096), Free(32, 512)] = 64,
    offset: Annotated[float, Bound(low=-10.0, high=10.0)] = 3.0,
    seed: int = 0,
):
    """A network with dropout and one with batch norm, in train and eval mode: does the output repeat, does it depend on its batch.

    dropout_difference: between two calls on one input. company_difference: of one image alone and beside seven others.
    lone_mean: mean output of batch norm for one image whose pixels have the mean `offset`, running statistics 0 and 1. statistics_moved:
    how far one call moves the running mean. lone_vector_refused: 1 if BatchNorm1d refuses one vector in train mode.
    calls: difference from the first of eight calls.

    Published rates of dropout lie between 0.1 (BERT) and 0.5 (the original paper), and any width would do: dropout and width are free.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, 16))
    x, images = torch.randn(1, width), torch.randn(8, 3, 16, 16) + offset

    def twice(mode: str) -> float:
        net.train(mode == "train")
        return difference(net(x), net(x))

    def company(mode: str) -> float:
        norm = nn.BatchNorm2d(3).train(mode == "train")
        return difference(norm(images[:1]), norm(images)[:1])

    def lone(mode: str) -> tuple[float, float]:
        norm: Any = nn.BatchNorm2d(3).train(mode == "train")
        return norm(images[:1]).mean().item(), norm.running_mean.abs().max().item()

    def calls(mode: str) -> list[float]:
        net.train(mode == "train")
        first, *later = (net(x) for _ in range(8))
        return [0.0, *(difference(first, other) for other in later)]

    net.eval()
    has_graph, switched = net(x).requires_grad, not any(module.training for module in net.modules())
    with torch.no_grad():
        without, dropped = net(x).requires_grad, twice("train")
    return {
        "eval_has_graph": int(has_graph),
        "no_grad_has_graph": int(without),
        "no_grad_dropout_difference": dropped,
        "eval_children_switched": int(switched),
        **{f"{mode}_dropout_difference": twice(mode) for mode in MODES},
        **{f"{mode}_company_difference": company(mode) for mode in MODES},
        **{f"{mode}_lone_mean": lone(mode)[0] for mode in MODES},
        **{f"{mode}_statistics_moved": lone(mode)[1] for mode in MODES},
        "lone_vector_refused": int(refused(nn.BatchNorm1d(width), x)),
        "calls": {"call": list(range(1, 9)), **{mode: calls(mode) for mode in MODES}},
    }


def difference(first, second) -> float:
    """The largest, over the largest magnitude of the first."""
    return ((first - second).abs().max() / first.abs().max()).item()


def refused(norm, x) -> bool:
    """Whether a batch norm in train mode will not take x: one value a channel has no variance."""
    try:
        norm.train()(x)
    except ValueError:
        return True
    return False


@eval_mode.invariant
def eval_mode_repeats_itself(result):
    """In eval mode two calls agree bit by bit, alone or in company, and move no running statistics."""
    return all(result[f"eval_{what}"] == 0 for what in ("dropout_difference", "company_difference", "statistics_moved"))


@eval_mode.invariant
def a_lone_image_loses_its_own_mean_in_train_mode_only(result):
    """Train mode takes off the image's own mean, eval mode the running one, which is zero."""
    return abs(result["train_lone_mean"]) < 1e-5 and abs(result["eval_lone_mean"] - result.parameters["offset"]) < 0.5


@eval_mode.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax, result["calls"], unit="percent", x_label="call with one and the same input", y_label="change since the first call", highlight="train"
    )
    return (
        "Eight calls with one input: in train mode dropout changes the output from call to call, by tens of percent of the largest one; "
        "in eval mode it never changes."
    )
