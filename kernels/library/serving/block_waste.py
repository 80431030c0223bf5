"""What a sequence leaves empty in its last KV-cache page: nothing up to one slot less than the page, as its length falls.

    mean = (B - 1) / 2        of B slots, where the tokens in the last page are 1 to B with equal chance

Pages are filled one after the other, so that only the last one has empty slots (Kwon et al. 2023, PagedAttention, arXiv 2309.06180, section 4.3).
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.models._models import AnyModel
from kernels.library.models.kv_cache import kv_cache


@kernel(
    kind="formula",
    outputs={
        "per_token": "B",
        "per_token_mha": "B",
        "page": "B",
        "empty": "",
        "empty_bytes": "B",
        "worst_bytes": "B",
        "share": "",
        "sweep": Series("page", "", "token"),
    },
)
def block_waste(
    model: AnyModel = "llama-3-8b",
    block_size: Annotated[int, Bound("token", low=1, high=10**6)] = 16,
    length: Annotated[float, Bound("token", low=1, high=1e9)] = 500.0,
):
    """The mean empty slots of a sequence's last KV-cache page, in 16 bits over all layers, where all fillings are equally likely.

    empty: slots; worst_bytes: where one token is in it. share: of what a sequence of `length` tokens on average is given. sweep: that by page size.
    """
    cache = kv_cache(model=model, tokens=1)
    per_token = cache["per_token"]
    empty = (block_size - 1) / 2
    sizes = [2**k for k in range(10)]
    return {
        "per_token": per_token,
        "per_token_mha": cache["per_token_mha"],
        "page": block_size * per_token,
        "empty": empty,
        "empty_bytes": empty * per_token,
        "worst_bytes": (block_size - 1) * per_token,
        "share": empty / (length + empty),
        "sweep": {"page": sizes, "empty": [(b - 1) / 2 / (length + (b - 1) / 2) for b in sizes]},
    }


@block_waste.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, labels={"empty": ""}, unit="percent", x_label="tokens in a page", y_label="slots that are empty")
    size, share = result.parameters["block_size"], result["share"]
    if size <= 512:
        plot.mark(ax, size, share, f"{size} tokens, {100 * share:.1f} %", plot.ACCENT, "left above")
