"""What examples add to a call's latency: their prefill, by arithmetic, beside the tokens that are generated.

    prefill = FLOP of the further prompt tokens / (MFU * peak)          all = prefill of the whole prompt + (output tokens - 1) * TPOT

FLOP by prompt_or_tune: two for each weight of the blocks and token, and causal attention. Prefill is bound by arithmetic from a few hundred
tokens on; a batch of other requests, queues and the network come on top. A prefix cache saves what it serves.
"""

from typing import Annotated, Literal

from kernels import Bound, kernel
from kernels.library.finetuning.prompt_or_tune import prompt_or_tune
from kernels.library.machines._devices import DEVICES
from kernels.library.models._models import Model


@kernel(
    kind="formula",
    outputs={
        "prefill_base": "s",
        "prefill_extra": "s",
        "decoding": "s",
        "zero": "s",
        "few": "s",
        "slower": "",
        "ttft_ratio": "",
        "as_output": "token",
    },
)
def example_latency(
    base: Annotated[int, Bound("token", low=1, high=100_000)] = 150,
    extra: Annotated[int, Bound("token", low=0, high=100_000)] = 500,
    output: Annotated[int, Bound("token", low=1, high=100_000)] = 50,
    tpot: Annotated[float, Bound("s", low=1e-5, high=10.0)] = 0.01,
    cached: Annotated[float, Bound(low=0.0, high=1.0)] = 0.0,
    mfu: Annotated[float, Bound(low=0.01, high=1.0)] = 0.4,
    model: Model = "llama-3-8b",
    gpu: Literal["a100", "h100", "h200"] = "h100",
):
    """The prefill that examples add to a call, and how much slower the whole call gets.

    base: prompt tokens without examples. extra: of the examples. tpot: for each output token behind the first, which ends the prefill. cached:
    the share of the examples' prefill that a prefix cache saves. zero, few: a whole call without and with examples. slower: few over zero.
    ttft_ratio: of the prefills. as_output: the output tokens that take as long as the examples.
    """
    rate = mfu * DEVICES[gpu].peak["bf16"]
    before = prompt_or_tune(saved=base, model=model)["prefill"]
    after = prompt_or_tune(saved=base + extra, model=model)["prefill"]
    first, more = before / rate, (after - before) / rate * (1 - cached)
    decoding = (output - 1) * tpot
    return {
        "prefill_base": first,
        "prefill_extra": more,
        "decoding": decoding,
        "zero": first + decoding,
        "few": first + more + decoding,
        "slower": (first + more + decoding) / (first + decoding),
        "ttft_ratio": (first + more) / first,
        "as_output": more / tpot,
    }
