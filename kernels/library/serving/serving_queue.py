"""A queue before one GPU that decodes in batches: the metrics of serving, request by request.

    TTFT = first token - arrival        TPOT = (last token - first token) / (tokens - 1)        latency = TTFT + (tokens - 1) * TPOT

(Zhong et al. 2024, DistServe, arXiv 2401.09670, section 1; goodput: requests a second that meet both objectives.) How steps and policies are
played stands in _serving.py.
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel
from kernels.library.machines._devices import Gpu
from kernels.library.models._models import Model
from kernels.library.serving import _serving
from kernels.library.serving._serving import Lengths, Policy


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("ttft_p50", "ttft_p99", "tpot_p50", "tpot_p99", "gap_p50", "gap_p99", "latency", "latency_p50", "latency_p99"), "s"),
        "throughput": "token/s",
        "served": "1/s",
        "goodput": "1/s",
        "within": "",
        "taken": "",
        "batch": "",
        "in_system": "",
        "finished_rate": "1/s",
        "cache": "B",
    },
    tolerance=1e-6,
)
def serving_queue(
    rate: Annotated[float, Bound("1/s", low=0.01, high=1000.0)] = 20.0,
    policy: Policy = "continuous",
    slots: Annotated[int, Bound(low=1, high=1024)] = 64,
    users: Annotated[int, Bound(low=0, high=2000)] = 0,
    prompt: Annotated[int, Bound("token", low=1, high=8192)] = 161,
    output: Annotated[int, Bound("token", low=1, high=1024)] = 338,
    lengths: Lengths = "geometric",
    prompts: Lengths = "geometric",
    requests: Annotated[int, Bound(low=10, high=4000)] = 2000,
    ttft_limit: Annotated[float, Bound("s", low=0.0, high=60.0)] = 0.5,
    tpot_limit: Annotated[float, Bound("s", low=0.0, high=10.0)] = 0.02,
    model: Model = "llama-3-8b",
    gpu: Gpu = "h100",
    seed: int = 0,
):
    """TTFT, TPOT, throughput and goodput of requests that come at random to one GPU, under continuous or static batching.

    prompt, output: mean tokens, those of ShareGPT as the vLLM paper has them (arXiv 2309.06180, figure 11: 161 and 338). users: 0 for an open loop,
    where requests come as a Poisson process of that rate whatever the server does; else so many clients, each of which waits for its answer before
    it asks again, and rate is not asked for. gap: between two tokens of one request. throughput, served, goodput, taken, batch: until the last
    request came; within: share of requests that meet both limits; taken: the share of slots in use, batch: their number, by decode step.
    in_system: the requests' number averaged over time; finished_rate: all of them over the whole time.
    """
    import torch

    made = _serving.server(model, gpu)
    random = torch.Generator().manual_seed(seed)
    asked, answered = _serving.drawn(prompt, prompts, requests, random), _serving.drawn(output, lengths, requests, random)
    came = _serving.arrivals(rate, requests, random)
    run = _serving.play(made, asked, answered, came, slots, policy, users)
    if run.fullest * made.per_token > made.room:
        raise KernelError(f"the cache of {run.fullest} tokens does not fit beside the weights (lower slots, or give shorter lengths)")
    ttft = [f - c for f, c in zip(run.first, run.came)]
    latency = [e - c for e, c in zip(run.finished, run.came)]
    tpot = [(e - f) / (n - 1) if n > 1 else 0.0 for e, f, n in zip(run.finished, run.first, answered)]
    long = [t for t, n in zip(tpot, answered) if n > 1] or [0.0]
    good = [a <= ttft_limit and b <= tpot_limit for a, b in zip(ttft, tpot)]
    window = run.came[-1] or max(run.finished)
    end = max(run.finished)
    sizes = [b for t, b in run.decoded if t <= window] or [0]
    batch = sum(sizes) / len(sizes)
    return {
        "ttft_p50": _serving.percentile(ttft, 0.5),
        "ttft_p99": _serving.percentile(ttft, 0.99),
        "tpot_p50": _serving.percentile(long, 0.5),
        "tpot_p99": _serving.percentile(long, 0.99),
        "gap_p50": _serving.weighted(run.gaps, 0.5),
        "gap_p99": _serving.weighted(run.gaps, 0.99),
        "latency": sum(latency) / requests,
        "latency_p50": _serving.percentile(latency, 0.5),
        "latency_p99": _serving.percentile(latency, 0.99),
        "throughput": sum(n for t, n in run.emitted if t <= window) / window,
        "served": sum(e <= window for e in run.finished) / window,
        "goodput": sum(g and e <= window for g, e in zip(good, run.finished)) / window,
        "within": sum(good) / requests,
        "taken": batch / slots,
        "batch": batch,
        "in_system": _serving.in_system(run),
        "finished_rate": requests / end,
        "cache": run.fullest * made.per_token,
    }


@serving_queue.invariant
def littles_law(result) -> bool:
    """The area under the number of requests, over the whole time, is their rate times their mean latency."""
    return abs(result["in_system"] - result["finished_rate"] * result["latency"]) <= 1e-6 * result["in_system"]


@serving_queue.invariant
def goodput_is_part_of_what_is_served(result) -> bool:
    """No more requests meet their limits than are served, and no more slots are taken than there are."""
    return result["goodput"] <= result["served"] and result["taken"] <= 1
