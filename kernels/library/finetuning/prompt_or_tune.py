"""When fine-tuning pays for itself by a shorter prompt, in arithmetic: the training's FLOP over what each call then saves.

By weights alone, training costs examples * tokens * epochs times full or LoRA fine-tuning's FLOP a token, and a prompt token the forward
pass' (finetune_flops; about 6 N, 4 N and 2 N: Kaplan et al. 2020, arXiv 2001.08361, section 2.1). What the prompt tokens really add to a prefill:
the blocks' weights, 2 FLOP each and token, and causal attention among them; the output head is needed for the last position alone, with or without
them. A prefix found in the cache costs nothing here. Data, evaluation and people are not counted.
"""

from typing import Annotated, Literal

from kernels import Bound, KernelError, kernel
from kernels.library.finetuning.finetune_flops import finetune_flops
from kernels.library.models._models import SHAPES, Model
from kernels.library.models.kv_cache import kv_cache


@kernel(
    kind="formula",
    outputs={"training": "FLOP", "per_call": "FLOP", "prefill": "FLOP", "break_even": "", "trained_tokens": "token", "prefix_cache": "B"},
)
def prompt_or_tune(
    model: Model = "llama-3-8b",
    examples: Annotated[int, Bound(low=1)] = 1000,
    example_tokens: Annotated[int, Bound("token", low=1)] = 1000,
    epochs: Annotated[int, Bound(low=1)] = 3,
    saved: Annotated[int, Bound("token", low=1)] = 2000,
    cached: Annotated[float, Bound(low=0.0, high=1.0)] = 0.0,
    method: Literal["lora", "full"] = "lora",
    rank: Annotated[int, Bound(low=1)] = 16,
):
    """FLOP of a fine-tuning, FLOP that each call saves whose prompt is `saved` tokens shorter, and the calls at which they are even.

    per_call, break_even: by all weights, as the usual 2 N a token has it. prefill: what the tokens add to a call's prefill.
    cached: the share of those tokens that a prefix cache would have served. prefix_cache: their KV cache in 16 bits, read at every decode step.
    """
    if cached == 1:
        raise KernelError("prompt_or_tune: cached is 1, so that a shorter prompt saves no arithmetic; give less than 1")
    step = finetune_flops(model=model, rank=rank)
    trained = examples * example_tokens * epochs
    training = trained * step[method]
    shape = SHAPES[model]
    attended = finetune_flops(model=model, rank=rank, sequence=saved)["full_forward"] - step["full_forward"]
    per_call = saved * (1 - cached) * step["full_forward"]
    return {
        "training": training,
        "per_call": per_call,
        "prefill": saved * (1 - cached) * (step["full_forward"] - 2 * shape.d_model * shape.vocab + attended),
        "break_even": training / per_call,
        "trained_tokens": trained,
        "prefix_cache": kv_cache(model=model, tokens=saved)["total"],
    }
