"""How far a latency limit reaches on one idle GPU, by the data sheet: reading the prompt, one token, a whole answer.

    TTFT >= prefill(p)        time between tokens >= step(p)        answer of n tokens >= prefill(p) + (n - 1) * step(p)

Prefill is the longer of weights over bandwidth and FLOP over peak, a step that of one sequence with p cached tokens (_serving.py; Pope et al. 2022,
arXiv 2211.05102, section 2). Nothing else is on the GPU: no queue, no other sequence; launches, network and sampling are left out, and the cache is
taken as it is after the prompt, so that all are lower bounds. `expected` has what published kernels reach (machines/_reach.py).
"""

import math
from typing import Annotated

from kernels import Bound, Lower, Series, Upper, kernel
from kernels.library.inference.decode_roofline import decode_roofline
from kernels.library.machines import _reach
from kernels.library.machines._devices import Gpu
from kernels.library.models._models import Model
from kernels.library.serving import _serving


@kernel(
    kind="formula",
    outputs={
        "prefill": Lower("s"),
        "prefill_expected": "s",
        "step": Lower("s"),
        "step_expected": "s",
        **dict.fromkeys(("tokens", "prompt_forgotten", "prefills"), Upper("token")),
        "whole": Lower("s"),
        "batch_rate": "token/s",
        "sweep": Series("tokens", "s"),
    },
)
def latency_budget(
    limit: Annotated[float, Bound("s", low=1e-4, high=1e3)] = 0.05,
    prompt: Annotated[int, Bound("token", low=1, high=100_000)] = 1000,
    output: Annotated[int, Bound("token", low=1, high=100_000)] = 200,
    batch: Annotated[int, Bound(low=1, high=1024)] = 64,
    model: Model = "llama-3-8b",
    gpu: Gpu = "h100",
):
    """The least TTFT, time between tokens and time of a whole answer of one request alone on a GPU, and the tokens that fit into a limit.

    tokens: the most that an answer can have within the limit from end to end, 0 where the prompt alone takes longer; prompt_forgotten: were there
    none to read; prefills: had each token to be prefilled. whole: the answer of `output` tokens. prefill_expected, step_expected: with the share of
    peak and bandwidth that published kernels reach. batch_rate: tokens a second of so many sequences decoded together, likewise, prefill left out.
    sweep: time by tokens of the answer.
    """
    made = _serving.server(model, gpu)
    prefill, step = made.prefill([prompt]), made.decode(1, prompt)
    work = prompt * made.body + made.head + made.attention * prompt * (prompt + 1) / 2
    shown = [1, *range(10, 201, 10)]

    def whole(n: int) -> float:
        return prefill + (n - 1) * step

    return {
        "prefill": prefill,
        "prefill_expected": _reach.expected("product", gpu, work, made.weights, 0.0, 1),
        "step": step,
        "step_expected": decode_roofline(model=model, context=prompt, gpu=gpu)["expected"],
        "tokens": max(0, math.floor((limit - prefill) / step) + 1),
        "prompt_forgotten": math.floor(limit / step),
        "prefills": math.floor(limit / prefill),
        "whole": whole(output),
        "batch_rate": batch / decode_roofline(model=model, context=prompt, gpu=gpu, batch=batch)["expected"],
        "sweep": {"tokens": shown, "answer": [whole(n) for n in shown]},
    }


@latency_budget.figure
def draw(result, ax):
    from kernels import plot

    limit = result.parameters["limit"]
    plot.lines(ax, result["sweep"], labels={"answer": ""}, x_label="tokens of the answer", y_label="time to the last token", highlight="answer")
    plot.hline(ax, limit, f"limit {plot.show(limit, 's')}", plot.RED)
    plot.mark(ax, 1, result["prefill"], f"first token {plot.show(result['prefill'], 's')}", plot.INK, "right above", name="first token")
