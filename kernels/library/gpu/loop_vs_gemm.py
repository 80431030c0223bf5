"""One layer on a GPU, its batch and its neurons taken one at a time or all at once: the price of many small launches.

    Y = X W^T      X [rows, width], W [width, width]: 2 rows width^2 FLOP, however many launches they are cut into

Row by row each launch reads all of W for one product of a matrix and a vector; neuron by neuron it reads all of X. Neither has
anything for the tensor cores to reuse, and each waits for its launch; a CUDA graph takes away the waiting, not the reading.
The backward pass is two products of the same size, dX = dY W and dW = dY^T X, and is timed as such.
"""

from typing import Annotated, Literal

from kernels import Bound, KernelError, Series, kernel, precision, timing

WAYS = ("rows", "neurons", "layer")
LIMITS = {"bf16": 1e-2, "fp16": 2e-3, "fp32": 1e-5}


@kernel(
    kind="measurement",
    outputs={
        **{f"{way}_time": "s" for way in WAYS},
        **{f"{way}_graph_time": "s" for way in WAYS},
        **{f"{way}_rate": "FLOP/s" for way in WAYS},
        **{f"{way}_share": "" for way in WAYS},
        "rows_over_layer": "",
        "neurons_over_layer": "",
        "neurons_graph_speedup": "",
        "rows_per_launch": "s",
        "neurons_per_launch": "s",
        "launch": "s",
        "graph_launch": "s",
        "backward_time": "s",
        "backward_rate": "FLOP/s",
        "backward_share": "",
        "ceiling": "FLOP/s",
        "flops": "FLOP",
        "error": "",
        "sweep": Series("rows", "FLOP/s"),
    },
    memory=lambda rows, width: 40 * width**2 + 64 * rows * width,  # W in 16 bits, in fp32 as it is made, in float64 and its gradient there
    formats=lambda dtype: (dtype,),
    rehearsal={"width": 64, "rows": 4},
    headline="neurons_over_layer",
    share="layer_share",
    seconds=60,
)
def loop_vs_gemm(
    width: Annotated[int, Bound(low=64, high=16384)] = 4096,
    rows: Annotated[int, Bound(low=2, high=16384)] = 512,
    dtype: Literal["bf16", "fp16", "fp32"] = "bf16",
):
    """Time of a layer computed row by row, neuron by neuron, and as one matrix product, eagerly and replayed from a CUDA graph.

    share: rate over the ceiling, the library's fastest matrix product, measured in turns. *_per_launch: seconds of one
    of the loop's launches; launch, graph_launch: those of a kernel that adds 1 to one number, issued one by one or from a graph.
    backward: dX and dW as two matrix products. sweep: FLOP/s over rows per launch. error: largest, over the largest element of float64's result.
    """
    if rows & (rows - 1):
        raise KernelError(f"loop_vs_gemm: rows is {rows}, but must be a power of two, so that every piece of the sweep is whole")
    import torch

    device = timing.device()
    x, w, dy = inputs(rows, width, dtype, device)
    flops = 2 * rows * width**2
    one = torch.zeros(1, device=device)
    peak = timing.multiplying(dtype)
    with precision.matrix_precision(dtype):
        error = checked(x, w, dy, dtype)
        calls = {way: prepared(way, x, w) for way in WAYS}
        eager = timing.in_turns(flush=False, hidden=False, **calls, ceiling=peak.function)
        graph = timing.in_turns(graph=True, **calls, backward=lambda: backward(x, w, dy), ceiling=peak.function)
        pieces = {f"{2**p} rows": prepared(2**p, x, w) for p in range(rows.bit_length())}
        swept = {g: timing.in_turns(flush=False, graph=g, hidden=g, **pieces) for g in (False, True)}
    return {
        **{f"{way}_time": eager[way] for way in WAYS},
        **{f"{way}_graph_time": graph[way] for way in WAYS},
        **{f"{way}_rate": flops / eager[way] for way in WAYS},
        **{f"{way}_share": flops / peak.work * eager.ratio("ceiling", way) for way in WAYS},
        "rows_over_layer": eager.ratio("rows", "layer"),
        "neurons_over_layer": eager.ratio("neurons", "layer"),
        "neurons_graph_speedup": eager["neurons"] / graph["neurons"].value,
        "rows_per_launch": eager["rows"] / rows,
        "neurons_per_launch": eager["neurons"] / width,
        "launch": timing.measure(lambda: one.add_(1), flush=False, hidden=False),
        "graph_launch": timing.measure(lambda: one.add_(1), flush=False, graph=True),
        "backward_time": graph["backward"],
        "backward_rate": 2 * flops / graph["backward"],
        "backward_share": 2 * flops / peak.work * graph.ratio("ceiling", "backward"),
        "ceiling": peak.work / graph["ceiling"],
        "flops": flops,
        "error": error,
        "sweep": {
            "rows": [2**p for p in range(rows.bit_length())],
            **{line: [flops / swept[g][name] for name in pieces] for line, g in (("eager", False), ("graph", True))},
        },
    }


@loop_vs_gemm.predicted
def predict(result):
    """By launch_bound's roofline in 16 bits, with its five microseconds a launch."""
    from kernels.library.gpu.launch_bound import launch_bound
    from kernels.library.machines._devices import DEVICES

    width, rows, dtype = (result.parameters[name] for name in ("width", "rows", "dtype"))
    gpu = result.made["device_class"]
    if gpu not in DEVICES or dtype == "fp32":
        return None
    loop, whole = (launch_bound(width=width, rows=rows, by=by, gpu=gpu)["time"] for by in ("neuron", "layer"))
    return loop / whole


def by_rows(x, w, out, piece: int = 1):
    """`piece` rows of the batch at a time: one launch each."""
    import torch

    for start in range(0, len(x), piece):
        if piece == 1:
            torch.mv(w, x[start], out=out[start])
        else:
            torch.mm(x[start : start + piece], w.t(), out=out[start : start + piece])
    return out


def by_neurons(x, w, out):
    """One output neuron at a time, for the whole batch; `out` is [width, rows], so that each writes what lies together."""
    import torch

    for neuron in range(len(w)):
        torch.mv(x, w[neuron], out=out[neuron])
    return out.t()


def backward(x, w, dy):
    """The gradients of Y = X W^T: dX and dW, two matrix products over operands as they lie."""
    return dy @ w, dy.t() @ x


def inputs(rows: int, width: int, dtype: str, device: str):
    """X and dY [rows, width], W [width, width], scaled so that Y is of order 1."""
    import torch

    shapes = {"x": (rows, width), "w": (width, width), "dy": (rows, width)}
    made = {name: torch.randn(*shape, device=device) * (width**-0.5 if name == "w" else 1.0) for name, shape in shapes.items()}
    return tuple(t.to(precision.torch_dtype(dtype)) for t in made.values())


def prepared(way: str | int, x, w):
    """A function of no arguments that computes Y in that way (a number: so many rows a launch) and returns it as [rows, width]."""
    import torch

    if way == "neurons":
        turned = torch.full((len(w), len(x)), torch.nan, dtype=x.dtype, device=x.device)
        return lambda: by_neurons(x, w, turned)
    piece = way if isinstance(way, int) else {"rows": 1, "layer": len(x)}[way]
    out = torch.full((len(x), len(w)), torch.nan, dtype=x.dtype, device=x.device)
    return lambda: by_rows(x, w, out, piece)


def checked(x, w, dy, dtype: str) -> float:
    exact = x.double() @ w.double().t()
    errors = [precision.error_against(exact, prepared(way, x, w)(), LIMITS[dtype]) for way in WAYS]
    for wanted, got in zip(backward(x.double(), w.double(), dy.double()), backward(x, w, dy)):
        errors.append(precision.error_against(wanted, got, LIMITS[dtype]))
    return max(errors)


@loop_vs_gemm.figure
def draw(result, ax):
    from kernels import plot

    labels = {"eager": "one by\none", "graph": "graph"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label="rows in each launch", y_label="rate")
    plot.hline(ax, result["ceiling"], f"matrix rate {plot.show(result['ceiling'], 'FLOP/s')}")
