"""What a request rate asks for: requests in flight, GPUs that generate, and CPU cores that the orchestration takes.

    in flight = rate * latency                     Little 1961, Operations Research 9(3)
    GPUs = rate * calls * tokens / (tokens a second of one)          cores = rate * calls * CPU time of a call

CPU time is what one core is busy with for a call: prompts filled in, JSON, callbacks, traces; waiting for the model is none.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

RATES = (1, 10, 100, 1000, 10_000, 100_000)


@kernel(
    kind="formula",
    outputs={
        "in_flight": "",
        "gpus": "",
        "cores": "",
        "request": "s",
        "tokens": "token/s",
        "overhead": "",
        "gpus_of_extra": "",
        "extra_over_cpu": "",
        "cores_over_gpus": "",
        "sweep": Series("rate", ""),
    },
)
def framework_capacity(
    rate: Annotated[float, Bound("1/s", low=1e-3, high=1e6)] = 10_000.0,
    latency: Annotated[float, Bound("s", low=1e-3, high=1e4)] = 2.0,
    output: Annotated[int, Bound("token", low=1, high=1_000_000)] = 500,
    gpu_rate: Annotated[float, Bound("token/s", low=1.0, high=1e6)] = 2500.0,
    cpu: Annotated[float, Bound("s", low=0.0, high=100.0)] = 0.003,
    calls: Annotated[int, Bound(low=1, high=100)] = 1,
    extra_output: Annotated[int, Bound("token", low=0, high=1_000_000)] = 0,
    extra_latency: Annotated[float, Bound("s", low=0.0, high=1e4)] = 0.0,
):
    """Requests in flight, GPUs and CPU cores at a request rate, and the share of its latency that a framework's own work takes.

    latency, output, cpu: of one model call, of which a request makes `calls` one after another. extra_output, extra_latency: of one further call
    that a request makes, a query rewritten, say. gpu_rate: output tokens a second of one GPU. overhead: CPU time over the request's latency.
    gpus_of_extra: what the further call adds. extra_over_cpu: its latency over the CPU time of all calls. sweep: by rate.
    """
    request = calls * latency + extra_latency
    tokens = calls * output + extra_output
    work = (calls + (extra_latency > 0 or extra_output > 0)) * cpu
    return {
        "in_flight": rate * request,
        "gpus": math.ceil(rate * tokens / gpu_rate - 1e-9),
        "cores": math.ceil(rate * work - 1e-9),
        "request": request,
        "tokens": rate * tokens,
        "overhead": work / (request + work),
        "gpus_of_extra": rate * extra_output / gpu_rate,
        "extra_over_cpu": extra_latency / work if work else 0.0,
        "cores_over_gpus": work * gpu_rate / tokens,
        "sweep": {
            "rate": RATES,
            "in flight": [r * request for r in RATES],
            "GPUs": [r * tokens / gpu_rate for r in RATES],
            "CPU cores": [r * work if work else None for r in RATES],
        },
    }


@framework_capacity.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, x_label="requests a second", y_label="needed, if spread perfectly")
