"""Full fine-tuning, LoRA and QLoRA of one model, side by side: what each holds whatever the batch.

Full fine-tuning is mixed-precision AdamW with an fp32 master copy, 16 bytes per parameter (see training_memory); LoRA freezes
the bf16 weights, QLoRA the nf4 ones, and both train the same adapters (see lora_memory). Activations come on top.
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.finetuning.lora_memory import STATE, Targets, adapter_parameters, base_bytes
from kernels.library.machines._devices import DEVICES
from kernels.library.models._models import Model
from kernels.library.models.model_shape import model_shape

WAYS = ("full", "lora", "qlora")


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(WAYS, "B"),
        **{f"{way}_weights": "B" for way in WAYS},
        "full_gradients": "B",
        "full_optimizer": "B",
        "adapter_state": "B",
        "parts": Series("way", "B"),
    },
)
def finetune_memory(
    model: Model,
    rank: Annotated[int, Bound(low=1)] = 16,
    targets: Targets = "all-linear",
    gpu: Annotated[float, Bound("B", low=1)] = DEVICES["h100"].memory,
):
    """The memory of full fine-tuning, LoRA and QLoRA of a model, by parts; `gpu` is the memory drawn beside them.

    full_optimizer: the fp32 master copy and both moments. adapter_state: the adapters with their gradients, master copy
    and moments. parts: the same by way (0 full, 1 LoRA, 2 QLoRA).
    """
    parameters = model_shape(model=model)["parameters"]
    adapters = sum(STATE.values()) * adapter_parameters(model, rank, targets)
    rows = {
        "full": {"weights": 2 * parameters, "gradients": 2 * parameters, "optimizer": 12 * parameters, "adapters": 0},
        "lora": {"weights": base_bytes(model, "bf16"), "gradients": 0, "optimizer": 0, "adapters": adapters},
        "qlora": {"weights": base_bytes(model, "nf4"), "gradients": 0, "optimizer": 0, "adapters": adapters},
    }
    return {
        **{way: sum(row.values()) for way, row in rows.items()},
        **{f"{way}_weights": row["weights"] for way, row in rows.items()},
        "full_gradients": rows["full"]["gradients"],
        "full_optimizer": rows["full"]["optimizer"],
        "adapter_state": adapters,
        "parts": {"way": [0, 1, 2], **{part: [row[part] for row in rows.values()] for part in rows["full"]}},
    }


@finetune_memory.figure
def draw(result, ax):
    from kernels import plot

    names = ("full fine-tuning", "LoRA", "QLoRA")
    parts, labels = result["parts"], {"optimizer": "master, moments"}
    rows = {name: {labels.get(part, part): parts.values(part)[i] for part in parts.lines if parts.values(part)[i]} for i, name in enumerate(names)}
    gpu = result.parameters["gpu"]
    fills = {"weights": plot.STONE, "gradients": plot.SAND, "master, moments": plot.ACCENT, "adapters": plot.AMBER}
    plot.stacked_bars(ax, rows, unit="B", limit=(gpu, f"{plot.show(gpu, 'B')} GPU"), fills=fills)
