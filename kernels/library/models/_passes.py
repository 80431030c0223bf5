"""What one token's forward pass multiplies, and what a decode step reads: the weights that FLOP and bytes are counted over.

    multiplied   the matrices of the blocks that the token visits, and the output head; 2 FLOP each
    attended     scores and weighted values over each token before, absorbed where a latent is cached (mla_cache)
    read         every parameter but those that are looked up row by row: an embedding that is not the head too, and learned positions

(Kaplan et al. 2020, arXiv 2001.08361, section 2.1.) Norms and biases are read, but are no products of matrices.
"""

from kernels.library.models._models import SHAPES, Shape
from kernels.library.models.model_shape import model_shape


def multiplied(shape: Shape) -> int:
    """The weights that a token is multiplied by: of a mixture's experts only those that it visits."""
    idle = shape.moe_layers * (shape.experts - shape.active_experts)
    expert = sum(i * o for layer, (i, o) in shape.linear_layers.items() if layer in ("gate", "up", "down"))
    return shape.linear - idle * expert + shape.vocab * shape.d_model


def attended(shape: Shape) -> int:
    """FLOP of a new token in all layers for each token that it attends to."""
    each = shape.cached + shape.latent if shape.latent else 2 * shape.head_dim
    return 2 * shape.layers * shape.heads * each


def lookups(shape: Shape) -> int:
    """The parameters of which a step takes one row for each token."""
    return shape.d_model * (shape.positions + (0 if shape.tied else shape.vocab))


def read(model: str) -> int:
    """The parameters that a step reads whose tokens visit all of the model."""
    return model_shape(model=model)["parameters"] - lookups(SHAPES[model])
