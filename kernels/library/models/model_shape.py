"""The exact parameter count of published transformers, derived from their shapes, and where the parameters sit.

    attention   layers * (q + k + v + o)
    mlp         layers * (router + experts * (gate + up + down))
    norms       (2 layers + 1) * vector, and those inside attention

A layer norm's vector is a weight and a bias for each of d_model, an RMSNorm's a weight. Shapes and their sources: models/_models.py.
"""

from kernels import kernel
from kernels.library.models._models import SHAPES, AnyModel

COUNTS = ("parameters", "active_parameters", "embedding", "attention", "mlp", "norms", "linear")
FIELDS = ("layers", "d_model", "heads", "kv_heads", "head_dim", "ffn", "vocab", "experts", "active_experts")


@kernel(kind="formula", outputs=dict.fromkeys((*COUNTS, *FIELDS), ""))
def model_shape(model: AnyModel):
    """A published transformer's shape, its exact parameter count, and how many parameters one token uses.

    embedding: tokens, positions and the output head where it is a matrix of its own (and BERT's pooler).
    linear: the weights of the blocks' matrices, which quantisation and all-linear LoRA touch. active_parameters
    leaves out the experts that a token does not visit, and equals parameters where there is one expert.
    """
    shape = SHAPES[model]
    d = shape.d_model
    vector = d if shape.norm == "rms" else 2 * d
    embedding = d * (shape.vocab * (1 if shape.tied else 2) + shape.positions) + (d * d + d if shape.pooler else 0)
    attention = shape.layers * sum(shape.of(layer) for layer in shape.attention_layers)
    block = sum(shape.of(layer) for layer in shape.linear_layers if layer not in shape.attention_layers)
    mlp = shape.moe_layers * block + shape.dense_layers * shape.dense_mlp
    norms = (2 * shape.layers + 1) * vector + shape.layers * shape.head_norms
    parameters = embedding + attention + mlp + norms

    idle = shape.moe_layers * (shape.experts - shape.active_experts) * shape.expert
    return {
        "parameters": parameters,
        "active_parameters": parameters - idle,
        "embedding": embedding,
        "attention": attention,
        "mlp": mlp,
        "norms": norms,
        "linear": shape.linear,
        **{name: getattr(shape, name) for name in FIELDS},
    }


@model_shape.figure
def draw(result, ax):
    from kernels import plot

    mlp = "MLP" if result["experts"] == 1 else "experts"
    parts = {"attention": result["attention"], mlp: result["mlp"], "embeddings": result["embedding"]}
    fills = {"attention": plot.SKY, mlp: plot.ACCENT, "embeddings": plot.SAND}
    plot.stacked_bars(ax, {result.parameters["model"]: parts}, unit="", fills=fills)
