"""The time of an optimizer step with gradient accumulation over data-parallel GPUs.

    accumulate = global batch / (micro-batch * GPUs)        time = accumulate * micro + all-reduce + update

with the gradients reduced once a step (DistributedDataParallel.no_sync, PyTorch documentation); without it the all-reduce runs
after each micro-batch. No overlap of communication and backward pass is counted: DDP hides part of it.
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel

Seconds = Annotated[float, Bound("s", low=0.0)]
Count = Annotated[int, Bound(low=1)]


@kernel(
    kind="formula",
    outputs={"accumulate": "", "step_tokens": "token", "time": "s", "time_synced": "s", "slowdown": "", "throughput": "token/s", "compute_share": ""},
)
def accumulation_step(
    global_batch: Count = 512,
    micro_batch: Count = 4,
    gpus: Count = 8,
    tokens: Annotated[int, Bound("token", low=1)] = 2048,
    micro: Seconds = 0.5,
    reduce: Seconds = 0.2,
    update: Seconds = 0.1,
):
    """Micro-batches a step, tokens a step, step time with one all-reduce and with one each micro-batch, and tokens a second.

    global_batch and micro_batch in sequences of `tokens`. slowdown: time_synced over time. compute_share: of time, the micro-batches'.
    """
    if global_batch % (micro_batch * gpus):
        raise KernelError(f"accumulation_step: global_batch is {global_batch}, but must be a multiple of micro_batch * gpus = {micro_batch * gpus}")
    accumulate = global_batch // (micro_batch * gpus)
    time, synced = accumulate * micro + reduce + update, accumulate * (micro + reduce) + update
    if not time:
        raise KernelError("accumulation_step: a step takes no time; give micro, reduce or update")
    return {
        "accumulate": accumulate,
        "step_tokens": global_batch * tokens,
        "time": time,
        "time_synced": synced,
        "slowdown": synced / time,
        "throughput": global_batch * tokens / time,
        "compute_share": accumulate * micro / time,
    }
