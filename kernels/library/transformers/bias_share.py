"""How many of a transformer's parameters are biases: those it has, and those it would have with one on every linear layer.

A matrix of i x o weights has o biases. A block of multi-head attention and a plain MLP four times as wide has 12 d^2 weights and
4 d + 4 d + d = 9 d biases, hence a share of 3 / (4 d) that falls with the width. Shapes: models/_models.py.
"""

from kernels import kernel
from kernels.library.models._models import SHAPES, Model
from kernels.library.models.model_shape import model_shape


@kernel(
    kind="formula",
    outputs={
        "d_model": "",
        "parameters": "",
        "present": "",
        "present_share": "",
        "everywhere": "",
        "everywhere_share": "",
    },
)
def bias_share(model: Model):
    """Biases of the blocks' linear layers in a published model, and with a bias on every one of them; norms' biases do not count.

    present_share: of the model's parameters. everywhere_share: of the same model with the missing ones added.
    """
    shape = SHAPES[model]
    parameters = model_shape(model=model)["parameters"]
    present = shape.layers * sum(shape.copies(layer) * shape.bias(layer) for layer in shape.linear_layers)
    everywhere = shape.layers * sum(shape.copies(layer) * outputs for layer, (_, outputs) in shape.linear_layers.items())
    return {
        "d_model": shape.d_model,
        "parameters": parameters,
        "present": present,
        "present_share": present / parameters,
        "everywhere": everywhere,
        "everywhere_share": everywhere / (parameters - present + everywhere),
    }
