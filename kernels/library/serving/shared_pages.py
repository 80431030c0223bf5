"""KV-cache pages of several samples of one prompt: each with pages of its own, or with the prompt's full pages shared.

    apart     n ceil((p + o) / B)
    shared    floor(p / B) + n (ceil((p + o) / B) - floor(p / B))

A page that the prompt fills is never written again and stands once, counted by references. The page that it fills in part is written by each sample
and therefore copied by all but the last (Kwon et al. 2023, PagedAttention, arXiv 2309.06180, section 4.4, figure 8).
"""

from typing import Annotated

from kernels import Bound, kernel


@kernel(
    kind="formula",
    outputs={"apart": "", "shared": "", "saved": "", "saving": "", "prompt_pages": "", "per_sample": "", "copied": "", "copied_tokens": "token"},
)
def shared_pages(
    samples: Annotated[int, Bound(low=1, high=10**6)] = 4,
    prompt: Annotated[int, Bound("token", low=1, high=10**9)] = 161,
    output: Annotated[int, Bound("token", low=1, high=10**9)] = 338,
    page: Annotated[int, Bound("token", low=1, high=10**6)] = 16,
):
    """Pages of `samples` continuations of a prompt, each of `output` tokens, without and with sharing, at their end.

    prompt_pages: that the prompt fills. per_sample: pages of one sample alone. copied: copies of the page that the prompt fills in part;
    copied_tokens: tokens of the prompt in it. saving: share of the pages that sharing saves.
    """
    full, each = prompt // page, -(-(prompt + output) // page)
    apart, shared = samples * each, full + samples * (each - full)
    partly = prompt % page
    return {
        "apart": apart,
        "shared": shared,
        "saved": apart - shared,
        "saving": (apart - shared) / apart,
        "prompt_pages": full,
        "per_sample": each,
        "copied": samples - 1 if partly else 0,
        "copied_tokens": partly,
    }


@shared_pages.figure
def draw(result, ax):
    from kernels import plot

    shared = "prompt's full pages shared"
    plot.bars(ax, {"pages of its own each": result["apart"], shared: result["shared"]}, "", highlight=shared)
