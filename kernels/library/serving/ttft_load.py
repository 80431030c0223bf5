"""How the time to the first token grows with the load of one GPU, long before it is full.

Requests come as a Poisson process to the server of _serving.py, batched continuously with whole prefills. TTFT = first token - arrival (Zhong et
al. 2024, DistServe, arXiv 2401.09670, section 1); load is the rate of arrivals over the requests a second that the server finishes while its queue
never empties.
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.machines._devices import Gpu
from kernels.library.models._models import Model
from kernels.library.serving import _serving

SHARES = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@kernel(
    kind="simulation",
    outputs={
        "capacity": "1/s",
        "prefill": "s",
        **{f"{name}_{share}": "s" for name in ("p50", "p99") for share in (10, 50, 80, 95)},
        "sweep": Series("load", "s"),
    },
    tolerance=1e-6,
)
def ttft_load(
    slots: Annotated[int, Bound(low=1, high=512)] = 64,
    prompt: Annotated[int, Bound("token", low=1, high=2048)] = 1000,
    output: Annotated[int, Bound("token", low=2, high=512)] = 200,
    requests: Annotated[int, Bound(low=200, high=3000)] = 2000,
    model: Model = "llama-3-8b",
    gpu: Gpu = "h100",
    seed: int = 0,
):
    """Median and p99 of TTFT by load, open loop, prompts and answers of geometric length.

    capacity: requests a second at most. prefill: of a mean prompt on an idle GPU. p50_10 .. p99_95: median and p99 at 10, 50, 80 and 95 % of the
    capacity. sweep: both by load.
    """
    import torch

    made = _serving.server(model, gpu)
    random = torch.Generator().manual_seed(seed)
    asked, answered = _serving.drawn(prompt, "geometric", requests, random), _serving.drawn(output, "geometric", requests, random)
    unit = _serving.arrivals(1.0, requests, random)
    full = _serving.play(made, asked, answered, unit, slots, "continuous", min(2 * slots, requests // 2))
    window = full.came[-1]
    capacity = sum(end <= window for end in full.finished) / window
    found = {}
    for share in SHARES:
        run = _serving.play(made, asked, answered, [t / (share * capacity) for t in unit], slots, "continuous")
        waits = [first - came for first, came in zip(run.first, run.came)]
        found[share] = _serving.percentile(waits, 0.5), _serving.percentile(waits, 0.99)
    return {
        "capacity": capacity,
        "prefill": made.prefill([prompt]),
        **{f"{name}_{share}": found[share / 100][k] for k, name in enumerate(("p50", "p99")) for share in (10, 50, 80, 95)},
        "sweep": {"load": SHARES, "p99": [p for _, p in found.values()], "median": [p for p, _ in found.values()]},
    }


@ttft_load.invariant
def the_tail_lies_above_the_median(result) -> bool:
    """At no load is p99 below the median, and more load makes p99 no better than a tenth of it does."""
    p99, median = (result["sweep"].values(name) for name in ("p99", "median"))
    return all(a >= b for a, b in zip(p99, median)) and result["p99_95"] >= result["p99_10"]


@ttft_load.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax, result["sweep"], ylog=True, x_label="requests that come, of those that can be served", y_label="time to the first token", highlight="p99"
    )
