"""Throughput and goodput of one GPU as more requests come than it can serve in time.

Goodput counts the requests a second that meet their limits on TTFT and TPOT (Zhong et al. 2024, DistServe, arXiv 2401.09670, section 1),
throughput those that are finished, whenever. Arrivals are an open loop. The server is that of _serving.py, batched continuously.
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.machines._devices import Gpu
from kernels.library.models._models import Model
from kernels.library.serving import _serving
from kernels.library.serving._serving import Lengths

SHARES = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4)


@kernel(
    kind="simulation",
    outputs={
        "capacity": "1/s",
        "best_goodput": "1/s",
        "served_over": "1/s",
        "goodput_over": "1/s",
        "over_of_capacity": "",
        "over_of_best": "",
        "sweep": Series("offered", "1/s"),
    },
    tolerance=1e-6,
)
def goodput_sweep(
    slots: Annotated[int, Bound(low=1, high=512)] = 64,
    prompt: Annotated[int, Bound("token", low=1, high=2048)] = 161,
    output: Annotated[int, Bound("token", low=2, high=512)] = 338,
    lengths: Lengths = "geometric",
    requests: Annotated[int, Bound(low=200, high=3000)] = 2000,
    ttft_limit: Annotated[float, Bound("s", low=0.0, high=60.0)] = 0.5,
    tpot_limit: Annotated[float, Bound("s", low=0.0, high=10.0)] = 0.02,
    model: Model = "llama-3-8b",
    gpu: Gpu = "h100",
    seed: int = 0,
):
    """Requests a second that are finished, and that are finished within the limits, by how many come.

    capacity: finished a second while the queue never empties. served_over, goodput_over: at the last rate of the sweep, 1.4 times the capacity;
    over_of_*: finished there over the capacity, and in time there over the best goodput. sweep: against the offered rate over the capacity.
    """
    import torch

    made = _serving.server(model, gpu)
    random = torch.Generator().manual_seed(seed)
    asked, answered = _serving.drawn(prompt, "geometric", requests, random), _serving.drawn(output, lengths, requests, random)
    unit = _serving.arrivals(1.0, requests, random)

    def rates(run) -> tuple[float, float]:
        window = run.came[-1]
        served = good = 0
        for came, first, end, n in zip(run.came, run.first, run.finished, answered):
            if end <= window:
                served += 1
                good += first - came <= ttft_limit and (end - first) / max(1, n - 1) <= tpot_limit
        return served / window, good / window

    saturated = _serving.play(made, asked, answered, unit, slots, "continuous", min(2 * slots, requests // 2))
    capacity = rates(saturated)[0]
    points = [rates(_serving.play(made, asked, answered, [t / (x * capacity) for t in unit], slots, "continuous")) for x in SHARES]
    best = max(good for _, good in points)
    return {
        "capacity": capacity,
        "best_goodput": best,
        "served_over": points[-1][0],
        "goodput_over": points[-1][1],
        "over_of_capacity": points[-1][0] / capacity,
        "over_of_best": points[-1][1] / best if best else 0.0,
        "sweep": {"offered": SHARES, "finished": [s for s, _ in points], "in time": [g for _, g in points]},
    }


@goodput_sweep.invariant
def goodput_is_part_of_what_is_finished(result) -> bool:
    """At no rate are more requests in time than are finished."""
    return all(g <= s for g, s in zip(result["sweep"].values("in time"), result["sweep"].values("finished")))


@goodput_sweep.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], x_label="requests that come, capacity being 1", y_label="requests", highlight="in time")
    plot.vline(ax, 1.0, "capacity")
