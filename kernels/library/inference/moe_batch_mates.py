"""Which of a prompt's tokens a mixture-of-experts layer drops, when the prompt is put into batches of other tokens.

A router scores experts, expert e of token t with  preference_e + normal,  and each token takes its k best. An expert has room for C = ceil(f k T /
E) choices of a batch of T tokens, filled first come, first served in the order of the batch; the rest are dropped (Fedus et al. 2021, Switch
Transformers, arXiv 2101.03961, section 2.2). The preferences make the router skewed: it sends more to some experts. Drops are counted, nothing is
rounded.
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, kernel
from kernels.library.inference.moe_capacity import capacity
from kernels.library.inference.moe_dispatch import places

BATCHES = 20  # that the prompt is put into


@kernel(
    kind="simulation",
    outputs={
        "fullest": "",
        "dropped": "",
        "prompt_dropped": "",
        "batches_changed": "",
        "tokens_changed": "",
        "kept": "token",
        "overflowed": "token",
    },
    tolerance=1e-3,
)
def moe_batch_mates(
    skew: Annotated[float, Bound(low=0.0, high=3.0), Free(0.0, 0.3)] = 0.15,
    prompt: Annotated[int, Bound("token", low=1, high=1024), Free(16, 512)] = 64,
    tokens: Annotated[int, Bound("token", low=2, high=65536)] = 4096,
    experts: Annotated[int, Bound(low=2, high=256)] = 64,
    top_k: Annotated[int, Bound(low=1, high=16)] = 8,
    factor: Annotated[float, Bound(low=0.1, high=64.0)] = 1.25,
    seed: int = 0,
):
    """What a capacity limit drops of one prompt, at a random place in 20 batches of other tokens.

    fullest: load of the fullest expert over the mean, before drops; dropped, prompt_dropped: share of all choices and of the prompt's.
    batches_changed: the share of batches after the first in which other choices of the prompt are dropped than in the first; tokens_changed: the
    mean share of its tokens that this meets. kept, overflowed: choices over all batches.

    skew is the spread of the router's preferences, in units of a token's own scores. Mixtures trained with a balance loss ended with a fullest
    expert of 1.5 to 1.7 times the mean, trained with adapted biases with 1.04 (Wang et al. 2024, arXiv 2408.15664, table 2); a batch of one kind of
    text is more skewed. So it is free from none to 0.3, and the prompt from a line to a page.
    """
    import torch

    if top_k > experts:
        raise KernelError(f"moe_batch_mates: top_k is {top_k}, but must be at most the number of experts, {experts}")
    if prompt >= tokens:
        raise KernelError(f"moe_batch_mates: prompt is {prompt}, but must be less than tokens, {tokens}")
    random = torch.Generator().manual_seed(seed)
    preference = skew * torch.randn(experts, generator=random)

    def route(number: int):
        return (torch.randn(number, experts, generator=random) + preference).topk(top_k, -1).indices

    own, limit, others = route(prompt), capacity(tokens, experts, top_k, factor), tokens - prompt
    fullest, mine, kept = 0.0, [], 0
    for _ in range(BATCHES):
        before = int(torch.randint(others + 1, (), generator=random))
        chosen = route(others)
        chosen = torch.cat((chosen[:before], own, chosen[before:]))
        stays = places(chosen, experts) < limit
        mine.append(stays[before : before + prompt])
        kept += int(stays.sum())
        fullest += chosen.flatten().bincount(minlength=experts).max().item() * experts / (tokens * top_k) / BATCHES
    choices = BATCHES * tokens * top_k
    changed = torch.stack([(stays != mine[0]).any(-1) for stays in mine[1:]])
    return {
        "fullest": fullest,
        "dropped": 1 - kept / choices,
        "prompt_dropped": 1 - torch.stack(mine).double().mean(),
        "batches_changed": changed.any(-1).double().mean(),
        "tokens_changed": changed.double().mean(),
        "kept": kept,
        "overflowed": choices - kept,
    }


@moe_batch_mates.invariant
def no_expert_takes_more_than_its_room(result):
    """What is kept fits the experts' room, and kept and overflowed choices are all choices."""
    given = result.parameters
    room = given["experts"] * capacity(given["tokens"], given["experts"], given["top_k"], given["factor"])
    return result["kept"] <= BATCHES * room and result["kept"] + result["overflowed"] == BATCHES * given["tokens"] * given["top_k"]


@moe_batch_mates.invariant
def only_what_overflows_can_change(result):
    """Where no choice overflows, no batch drops other choices of the prompt; and where some batch does, some overflowed."""
    return result["overflowed"] > 0 or result["batches_changed"] == 0 == result["tokens_changed"]
