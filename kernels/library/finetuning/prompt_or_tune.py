"""When fine-tuning pays for itself by a shorter prompt, in arithmetic: the training's FLOP over what each call then saves.

Over N weights training costs 6 N FLOP a token, with LoRA 4 N, and reading a prompt token 2 N (Kaplan et al. 2020, arXiv 2001.08361, section 2.1;
see finetune_flops for what LoRA saves), so N cancels. What the prompt tokens really add to a prefill: the blocks' weights, 2 FLOP each and token, and
causal attention among them; the output head is needed for the last position alone, with or without them. A prefix found in the cache costs
nothing here. Data, evaluation and people are not counted.
"""

from typing import Annotated, Literal

from kernels import Bound, KernelError, kernel
from kernels.library.finetuning.finetune_flops import finetune_flops
from kernels.library.models._models import SHAPES, Model
from kernels.library.models.kv_cache import kv_cache

PER_WEIGHT = {"lora": 4, "full": 6}  # FLOP a token and weight in training


@kernel(
    kind="formula",
    outputs={"break_even": "", "trained_tokens": "token", "prefill": "FLOP", "prefix_cache": "B"},
)
def prompt_or_tune(
    examples: Annotated[int, Bound(low=1)] = 1000,
    example_tokens: Annotated[int, Bound("token", low=1)] = 1000,
    epochs: Annotated[int, Bound(low=1)] = 3,
    saved: Annotated[int, Bound("token", low=1)] = 2000,
    cached: Annotated[float, Bound(low=0.0, high=1.0)] = 0.0,
    method: Literal["lora", "full"] = "lora",
    model: Model = "llama-3-8b",
):
    """The calls whose prompts are `saved` tokens shorter that pay back a fine-tuning's FLOP, and what those tokens cost a call of a model.

    cached: the share of those tokens that a prefix cache would have served. prefill: FLOP of the others. prefix_cache: the KV cache of them all in
    16 bits, read at every decode step.
    """
    if cached == 1:
        raise KernelError("prompt_or_tune: cached is 1, so that a shorter prompt saves no arithmetic; give less than 1")
    trained = examples * example_tokens * epochs
    shape = SHAPES[model]
    attended = finetune_flops(model=model, sequence=saved)["full_forward"]
    return {
        "break_even": trained * PER_WEIGHT[method] / (2 * saved * (1 - cached)),
        "trained_tokens": trained,
        "prefill": saved * (1 - cached) * (attended - 2 * shape.d_model * shape.vocab),
        "prefix_cache": kv_cache(model=model, tokens=saved)["total"],
    }
