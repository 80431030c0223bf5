"""A chat service from its traffic to its GPUs, and what each assumption moves.

    rate at the peak    users * turns / day * peak
    decode step         (weights + b * (prompt + output / 2) * cache of a token) / (bandwidth * reached), or b * FLOP of a token where that is longer
    TPOT                step + b * prefill / output: each answer's tokens also wait for the prompts that come meanwhile
    batch b             the largest whose TPOT is within the limit and whose cache fits beside all weights, the embedding too
    GPU seconds of a request    prompt * FLOP of a prompt token / (peak rate * reached)  +  output * step / b
    GPUs                rate at the peak * GPU seconds of a request / load

(Pope et al. 2022, arXiv 2211.05102, for the step.) A sequence holds its prompt and on average half its answer; prompts are read by
the same GPUs that decode, and only their last token needs the output head. Attention's FLOP, launches and communication between GPUs are left out;
`reached` is the share of the data sheet that real kernels get, of bandwidth and of arithmetic alike, and `load` the share of its time in which a
GPU may be busy, else requests queue.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.models._models import SHAPES, Model
from kernels.library.models._passes import multiplied, read
from kernels.library.models.kv_cache import kv_cache
from kernels.library.models.model_shape import model_shape

DAY = 86400.0
VARIED = ("users", "turns", "peak", "prompt", "output", "reached", "load", "tpot_limit")


@kernel(
    kind="formula",
    outputs={
        "rate": "1/s",
        "peak_rate": "1/s",
        "weights": "B",
        "per_token": "B",
        "flop": "FLOP",
        "batch": "",
        "memory_batch": "",
        "pace_batch": "",
        "step": "s",
        "tpot": "s",
        "prefill": "s",
        "decode": "s",
        "per_gpu": "1/s",
        "tokens_per_gpu": "token/s",
        "tokens": "token/s",
        "gpus": "",
        "whole": "",
        **{f"{end}_{name}": "" for name in VARIED for end in ("half", "double")},
    },
)
def chat_fleet(
    users: Annotated[float, Bound(low=1, high=1e10)] = 1e6,
    turns: Annotated[float, Bound(low=0.01, high=1e4)] = 5.0,
    peak: Annotated[float, Bound(low=1.0, high=100.0)] = 3.0,
    prompt: Annotated[float, Bound("token", low=1, high=1e6)] = 1500.0,
    output: Annotated[float, Bound("token", low=1, high=1e5)] = 300.0,
    reached: Annotated[float, Bound(low=0.01, high=1.0)] = 0.5,
    load: Annotated[float, Bound(low=0.01, high=1.0)] = 0.7,
    tpot_limit: Annotated[float, Bound("s", low=1e-3, high=10.0)] = 0.1,
    model: Model = "llama-3-8b",
    gpu: Gpu = "h100",
):
    """GPUs that a chat service needs at its peak, each of which holds the model whole, and the same with each assumption halved and doubled.

    rate: requests a second over the day; flop: of a token of the prompt; per_gpu: that one GPU can take, busy all the time; tokens: that come out
    at the peak.
    memory_batch, pace_batch: the batch by each limit. gpus: not rounded; whole: rounded up. half_*, double_*: gpus with that assumption
    halved or doubled, as far as it can be (a peak under the mean, shares above 1 stop there).
    """
    shape, device = SHAPES[model], DEVICES[gpu]
    if shape.experts > 1:
        raise KernelError(f"chat_fleet: {model} routes tokens to experts: what a batch reads depends on the routes (choose a dense model)")
    weights, per_token, flop = 2.0 * read(model), kv_cache(model=model, tokens=1)["per_token"], 2.0 * multiplied(shape)
    body, held = flop - 2.0 * shape.vocab * shape.d_model, 2.0 * model_shape(model=model)["parameters"]
    given = {"users": users, "turns": turns, "peak": peak, "prompt": prompt, "output": output}
    given |= {"reached": reached, "load": load, "tpot_limit": tpot_limit}

    def limits(p: dict[str, float]) -> tuple[float, float, float]:
        """A sequence's cache, and the batch by memory and by pace."""
        sequence = (p["prompt"] + p["output"] / 2) * per_token
        bandwidth, rate = device.bandwidth * p["reached"], device.half * p["reached"]
        between = p["prompt"] * body / rate / p["output"]
        pace = min((p["tpot_limit"] - weights / bandwidth) / (sequence / bandwidth + between), p["tpot_limit"] / (flop / rate + between))
        return sequence, (device.memory - held) / sequence, pace

    def plan(p: dict[str, float]) -> dict[str, float]:
        sequence, room, pace = limits(p)
        batch = math.floor(min(room, pace))
        if batch < 1:
            raise KernelError(f"chat_fleet: not one sequence fits {gpu} within {p['tpot_limit']:.3g} s a token (choose a smaller model)")
        step = max((weights + batch * sequence) / device.bandwidth, batch * flop / device.half) / p["reached"]
        prefill, decode = p["prompt"] * body / (device.half * p["reached"]), p["output"] * step / batch
        rate = p["users"] * p["turns"] / DAY
        gpus = rate * p["peak"] * (prefill + decode) / p["load"]
        tpot = step + batch * prefill / p["output"]
        return {"rate": rate, "batch": batch, "step": step, "tpot": tpot, "prefill": prefill, "decode": decode, "gpus": gpus}

    def varied(name: str, factor: float) -> float:
        low, high = {"peak": (1.0, 1e9), "reached": (0.0, 1.0), "load": (0.0, 1.0)}.get(name, (0.0, 1e30))
        return plan(given | {name: min(high, max(low, given[name] * factor))})["gpus"]

    made = plan(given)
    _, room, pace = limits(given)
    busy = made["prefill"] + made["decode"]
    return {
        "rate": made["rate"],
        "peak_rate": made["rate"] * peak,
        "weights": weights,
        "per_token": per_token,
        "flop": body,
        "batch": made["batch"],
        "memory_batch": math.floor(room),
        "pace_batch": math.floor(pace),
        "step": made["step"],
        "tpot": made["tpot"],
        "prefill": made["prefill"],
        "decode": made["decode"],
        "per_gpu": 1 / busy,
        "tokens_per_gpu": output / busy,
        "tokens": made["rate"] * peak * output,
        "gpus": made["gpus"],
        "whole": math.ceil(made["gpus"]),
        **{f"half_{name}": varied(name, 0.5) for name in VARIED},
        **{f"double_{name}": varied(name, 2.0) for name in VARIED},
    }


@chat_fleet.figure
def draw(result, ax):
    """A tornado: from half to double of each assumption, the widest on top."""
    from kernels import plot

    names = {
        "turns": "turns a day",
        "peak": "peak over mean",
        "prompt": "prompt",
        "output": "answer",
        "reached": "share of data sheet",
        "load": "load allowed",
        "tpot_limit": "time a token",
    }
    ends = {text: (result[f"half_{name}"], result[f"double_{name}"]) for name, text in names.items()}
    order = sorted(ends, key=lambda name: max(ends[name]) / min(ends[name]))
    plot.height(ax, 34 * len(order) + 50)
    for y, name in enumerate(order):
        half, double = ends[name]
        ax.barh(y, abs(double - half), left=min(half, double), height=0.4, color=plot.SKY, zorder=3)
        for value, text in ((half, "½"), (double, "2×")):
            left = value < max(half, double)
            ax.annotate(text, (value, y), xytext=(-4 if left else 4, 0), textcoords="offset points", ha="right" if left else "left", va="center")
    ax.axvline(result["gpus"], color=plot.ACCENT, linewidth=1.6, zorder=4)
    every = [value for pair in ends.values() for value in pair]
    room = max(every) - min(every)
    ax.set_xlim(min(every) - 0.16 * room, max(every) + 0.1 * room)
    plot.axes(ax, "GPUs", "", "", y_label=f"as planned: {result['gpus']:.0f}")
    ax.set_yticks(range(len(order)), order)
    ax.set_ylim(-0.6, len(order) - 0.4)
    ax.grid(False)
    return f"GPUs with each assumption halved and doubled, {result['gpus']:.0f} as planned. " + " ".join(
        f"{name}: {ends[name][0]:.0f} and {ends[name][1]:.0f}." for name in reversed(order)
    )
