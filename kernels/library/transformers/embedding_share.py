"""The share of a model's parameters that are its vocabulary's, against the width.

    body = 12 L d^2,   embeddings = V d (tied) or 2 V d,   share = embeddings / (body + embeddings)

Kaplan et al. 2020, arXiv 2001.08361, table 1 (body: four attention projections and an FFN of four times the width; norms, biases and
positions left out).
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.models._models import SHAPES

WIDTHS = (128, 256, 512, 768, 1024, 2048, 4096, 8192, 16384)
VOCABULARIES = tuple(SHAPES[model].vocab for model in ("llama-2-7b", "gpt2", "llama-3-8b"))


@kernel(
    kind="formula",
    outputs={
        "body": "",
        "embedding": "",
        "total": "",
        "share": "",
        "head_flops": "FLOP/token",
        "head_share": "",
        "equal_width": "",
        "logits": "B",
        "sweep": Series("width", ""),
    },
)
def embedding_share(
    d_model: Annotated[int, Bound(low=1)],
    layers: Annotated[int, Bound(low=1)],
    vocab: Annotated[int, Bound(low=1)] = SHAPES["llama-3-8b"].vocab,
    tied: bool = True,
    batch_tokens: Annotated[int, Bound("token", low=1)] = 8192,
):
    """Parameters in the blocks and in the vocabulary's matrices, and what the output head costs.

    head_flops: of the logits of one token, forward; head_share: of all FLOP forward. equal_width: the width at which both parts are equal with these
    layers. logits: of batch_tokens tokens in fp32. sweep: the share by width at one layer for each 64 of width, tied, by vocabulary.
    """
    body, table = 12 * layers * d_model**2, vocab * d_model
    embedding = table * (1 if tied else 2)
    return {
        "body": body,
        "embedding": embedding,
        "total": body + embedding,
        "share": embedding / (body + embedding),
        "head_flops": 2 * table,
        "head_share": table / (body + table),
        "equal_width": vocab * (1 if tied else 2) / (12 * layers),
        "logits": 4 * vocab * batch_tokens,
        "sweep": {"width": list(WIDTHS), **{f"v{v}": [v / (v + 12 * max(1, d // 64) * d) for d in WIDTHS] for v in VOCABULARIES}},
    }


@embedding_share.figure
def draw(result, ax):
    from kernels import plot

    labels = {f"v{v}": f"V = {v:,}" for v in VOCABULARIES}
    chosen = f"v{result.parameters['vocab']}"
    plot.lines(
        ax,
        result["sweep"],
        xlog=True,
        unit="percent",
        labels=labels,
        x_label="width",
        y_label="embeddings' share of the parameters",
        highlight=chosen if chosen in labels else None,
    )
    ax.set_ylim(0, 1)
