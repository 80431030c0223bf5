"""How much text a model was shown for each of its parameters, and what the parameters can hold of it.

    tokens a parameter = D / N            capacity = N * bits / 8            text = D * bytes of a token

Allen-Zhu and Li 2024 (arXiv 2404.05405, abstract) found about 2 bits of factual knowledge a parameter in well-trained models, in
synthetic biographies. Bytes of a token: of English text, about 4; it only sets the scale of the ratio.
"""

from typing import Annotated

from kernels import Bound, kernel
from kernels.library.models._models import Model
from kernels.library.models.model_shape import model_shape


@kernel(kind="formula", outputs={"parameters": "", "per_parameter": "token", "capacity": "B", "text": "B", "ratio": ""})
def training_compression(
    tokens: Annotated[float, Bound("token", low=1e6, high=1e17)] = 15e12,
    model: Model = "llama-3-8b",
    bits: Annotated[float, Bound(low=0.01, high=32.0)] = 2.0,
    token_bytes: Annotated[float, Bound("B", low=0.1, high=100.0)] = 4.0,
):
    """Training tokens for each parameter, the knowledge that so many parameters can hold, the text's size, and how many times larger the text is."""
    parameters = model_shape(model=model)["parameters"]
    capacity = parameters * bits / 8
    return {
        "parameters": parameters,
        "per_parameter": tokens / parameters,
        "capacity": capacity,
        "text": tokens * token_bytes,
        "ratio": tokens * token_bytes / capacity,
    }
