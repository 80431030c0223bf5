"""The KV cache of beam search: a copy for each beam, or the prompt once for all.

    copied     B (p + o) c            shared     (p + B o) c            c: bytes of a token (kv_cache)

At the most, where no two beams share what they made; beams that branched late share more (Kwon et al. 2023, PagedAttention, arXiv 2309.06180,
section 4.4). Each step scores B x vocabulary continuations and keeps B.
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.models._models import SHAPES, AnyModel
from kernels.library.models.kv_cache import kv_cache

WIDTHS = (1, 2, 4, 6, 8, 10, 12, 16)


@kernel(
    kind="formula",
    outputs={**dict.fromkeys(("copied", "shared", "one", "saved"), "B"), "over_one": "", "candidates": "", "sweep": Series("beams", "B")},
)
def beam_cache(
    model: AnyModel = "llama-3-8b",
    beams: Annotated[int, Bound(low=1, high=1000)] = 4,
    prompt: Annotated[int, Bound("token", low=1, high=10**7)] = 2000,
    output: Annotated[int, Bound("token", low=1, high=10**7)] = 200,
):
    """Bytes of the bf16 KV cache of `beams` hypotheses at their end, without and with the prompt's part shared.

    one: of a single sequence. saved: by sharing. over_one: shared, over that of one sequence. candidates: continuations that a step scores. sweep:
    both over the number of beams.
    """
    each = kv_cache(model=model, tokens=1)["per_token"]
    return {
        "copied": beams * (prompt + output) * each,
        "shared": (prompt + beams * output) * each,
        "one": (prompt + output) * each,
        "saved": (beams - 1) * prompt * each,
        "over_one": (prompt + beams * output) / (prompt + output),
        "candidates": beams * SHAPES[model].vocab,
        "sweep": {
            "beams": WIDTHS,
            "a copy each": [b * (prompt + output) * each for b in WIDTHS],
            "prompt shared": [(prompt + b * output) * each for b in WIDTHS],
        },
    }


@beam_cache.figure
def draw(result, ax):
    from kernels import plot

    names = {"a copy each": "a copy\neach", "prompt shared": "prompt\nshared"}
    plot.lines(ax, result["sweep"], labels=names, x_label="beams", y_label="KV cache", highlight="prompt shared")
