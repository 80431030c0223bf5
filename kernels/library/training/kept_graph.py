"""What autograd's graphs keep alive when a loop stores its losses: the bytes of saved tensors after each step, by the way of storing.

A forward pass saves tensors for the backward pass, which frees them; a graph that is never walked keeps them as long as anything refers to its
output. For `layers` pairs of linear and GELU and a loss of squares, a graph saves its input, and each pair's tensors before and after the GELU:
(2 layers + 1) batch width 4 bytes. Parameters are not counted, since they stay anyway. torch's saved-tensor hooks do the counting, on the CPU.
What is counted depends on the shapes alone: weights and batches are drawn, and no count may depend on them.
"""

import weakref
from typing import Annotated, Any

from kernels import Bound, KernelError, Series, kernel

LARGEST = 2048  # pairs in all graphs, so that a run ends within seconds
WAYS = ("train_item", "train_sum", "eval_item", "eval_sum", "eval_no_grad")


@kernel(
    kind="simulation",
    outputs={
        "graph": "B",
        **dict.fromkeys(WAYS, ""),
        **{f"{way}_peak": "" for way in WAYS},
        "eval_del_peak": "",
        "sweep": Series("step", ""),
    },
    draws=5,
)
def kept_graph(
    layers: Annotated[int, Bound(low=1, high=64)] = 8,
    width: Annotated[int, Bound(low=1, high=1024)] = 64,
    batch: Annotated[int, Bound(low=1, high=4096)] = 128,
    steps: Annotated[int, Bound(low=2, high=100)] = 10,
    seed: int = 0,
):
    """Saved tensors that are alive after so many steps, in units of one graph's, for losses stored as numbers or summed as tensors.

    graph: what one forward pass saves. train: with backward() in each step; eval: without, under no_grad in the last. item: the loss is turned into
    a number; sum: `total = total + loss`. *_peak: the most at any time; eval_del_peak: eval_item with `del loss` at the end of a step.
    sweep: graphs after each step.
    """
    import torch

    if layers * steps > LARGEST:
        raise KernelError(f"kept_graph: layers * steps is {layers * steps}, but must be at most {LARGEST}")
    torch.manual_seed(seed)
    pairs = [module for _ in range(layers) for module in (torch.nn.Linear(width, width), torch.nn.GELU())]
    model = torch.nn.Sequential(*pairs)
    batches = torch.randn(steps, batch, width)
    ran = {way: run(model, batches, way) for way in (*WAYS, "eval_del")}
    graph = ran["eval_sum"]["after"][0]
    return {
        "graph": graph,
        **{way: ran[way]["after"][-1] / graph for way in WAYS},
        **{f"{way}_peak": ran[way]["peak"] / graph for way in (*WAYS, "eval_del")},
        "sweep": {"step": list(range(1, steps + 1)), **{way: [kept / graph for kept in ran[way]["after"]] for way in ("eval_sum", "train_sum")}},
    }


@kept_graph.invariant
def a_graph_saves_what_its_layers_need(result) -> bool:
    """One graph is its input and two tensors of each pair, four bytes a number; without backward all of the graphs stay, with it none."""
    given = result.parameters
    by_hand = (2 * given["layers"] + 1) * given["batch"] * given["width"] * 4
    return result["graph"] == by_hand and result["eval_sum"] == given["steps"] and result["train_sum"] == result["train_item"] == 0


def run(model, batches, way: str) -> dict:
    """Bytes of live saved tensors after each step and the most at any time. In "eval_item" alone the last loss is dropped before the last count."""
    import torch

    saved = Saved({parameter.data_ptr() for parameter in model.parameters()})
    after = []
    total: Any = 0.0
    with torch.autograd.graph.saved_tensors_hooks(saved.pack, saved.unpack), torch.set_grad_enabled(way != "eval_no_grad"):
        for inputs in batches:
            loss = model(inputs).square().mean()  # the step before's loss lives until this one is there
            if way.startswith("train"):
                loss.backward()
            total = total + (loss if way in ("train_sum", "eval_sum", "eval_no_grad") else loss.item())
            if way == "eval_del":
                del loss
            after.append(saved.bytes())
    if way == "eval_item":
        del loss
        after[-1] = saved.bytes()
    return {"after": after, "peak": saved.peak}


class Kept:
    """One saved tensor; autograd holds the only strong reference."""

    def __init__(self, tensor) -> None:
        self.tensor = tensor.detach()  # not the tensor itself, which may refer to the graph


class Saved:
    """The tensors that graphs hold at this moment."""

    def __init__(self, parameters: set[int]) -> None:
        self.parameters = parameters
        self.alive: Any = weakref.WeakSet()
        self.peak = 0

    def pack(self, tensor) -> Kept:
        kept = Kept(tensor)
        self.alive.add(kept)
        self.peak = max(self.peak, self.bytes())
        return kept

    def unpack(self, kept: Kept):
        return kept.tensor

    def bytes(self) -> int:
        """Each piece of memory once, however many operations saved it."""
        pieces = {kept.tensor.data_ptr(): kept.tensor.nbytes for kept in self.alive}
        return sum(size for place, size in pieces.items() if place not in self.parameters)


@kept_graph.figure
def draw(result, ax):
    from kernels import plot

    labels = {"eval_sum": "no backward()", "train_sum": "after backward()"}
    plot.lines(ax, result["sweep"], labels=labels, x_label="batches", y_label="batches' activations kept", highlight="eval_sum")
