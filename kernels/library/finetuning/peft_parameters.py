"""What four parameter-efficient methods train in one transformer of L blocks of width d.

    LoRA       r (in + out) for every adapted matrix           Hu et al. 2021, arXiv 2106.09685, section 4.1
    adapters   two bottlenecks a block, each 2 d b + b + d     Houlsby et al. 2019, arXiv 1902.00751; counted as in LoRA, section 5.1
    prefix     a key and a value a token and block: 2 L d_kv   Li and Liang 2021, arXiv 2101.00190 (after training, the helper MLP dropped)
    prompt     an input embedding a token: d                   Lester et al. 2021, arXiv 2104.08691

The layer norms that Houlsby et al. train too are not counted.
"""

from typing import Annotated

from kernels import Bound, kernel
from kernels.library.finetuning.lora_memory import Targets, adapter_parameters
from kernels.library.models._models import SHAPES, Model
from kernels.library.models.model_shape import model_shape

METHODS = ("lora", "adapters", "prefix", "prompt")


@kernel(
    kind="formula",
    outputs={**dict.fromkeys(METHODS, ""), **{f"{method}_share": "" for method in METHODS}},
)
def peft_parameters(
    model: Model = "llama-2-7b",
    rank: Annotated[int, Bound(low=1)] = 8,
    targets: Targets = "qv",
    bottleneck: Annotated[int, Bound(low=1)] = 8,
    tokens: Annotated[int, Bound(low=1)] = 20,
):
    """Trained parameters of LoRA, of bottleneck adapters, and of prefix and prompt tuning with so many virtual tokens, and their shares."""
    shape = SHAPES[model]
    trained = {
        "lora": adapter_parameters(model, rank, targets),
        "adapters": bottlenecks(model, bottleneck),
        "prefix": 2 * shape.layers * shape.kv_heads * shape.head_dim * tokens,
        "prompt": shape.d_model * tokens,
    }
    parameters = model_shape(model=model)["parameters"]
    return {
        **trained,
        **{f"{method}_share": size / parameters for method, size in trained.items()},
    }


def bottlenecks(model: str, width: int) -> int:
    """Two bottlenecks a block: down with its bias, up with its bias."""
    shape = SHAPES[model]
    return 2 * shape.layers * (2 * shape.d_model * width + width + shape.d_model)
