"""What ZeRO leaves on each GPU: optimizer states, then gradients, then weights are split over the GPUs.

Mixed-precision Adam holds 2 + 2 + 12 bytes per parameter: bf16 weights and gradients, and an fp32 master copy with two
fp32 moments. Plain data parallelism holds all of them on every one of N GPUs. ZeRO splits

    stage 1   the optimizer states            4 + 12/N bytes per parameter
    stage 2   also the gradients              2 + 14/N
    stage 3   also the weights                16/N

(Rajbhandari et al. 2020, ZeRO, arXiv 1910.02054, section 5 and figure 1). Stages 1 and 2 send what data parallelism sends:
a reduce-scatter of gradients and an all-gather of weights are together one all-reduce. Stage 3 gathers the weights
twice, for the forward and the backward pass, and so sends 3 instead of 2 units (section 7).
"""

from typing import Annotated, Literal

from kernels import Bound, Series, kernel

PARTS = {"weights": 2, "gradients": 2, "optimizer": 12}  # bytes per parameter; "optimizer" with the fp32 master copy
SPLIT = {0: (), 1: ("optimizer",), 2: ("optimizer", "gradients"), 3: ("optimizer", "gradients", "weights")}


@kernel(
    kind="formula",
    outputs={
        "per_gpu": "B",
        "saving": "",
        "communication": "",
        "baseline": "B",
        **dict.fromkeys(PARTS, "B"),
        "sent": "B",
        "stages": Series("stage", "B"),
    },
)
def zero_memory(parameters: Annotated[int, Bound(low=1)], gpus: Annotated[int, Bound(low=1)], stage: Literal[0, 1, 2, 3]):
    """The training states on each GPU under ZeRO, and the traffic, against plain data parallelism (stage 0).

    saving: baseline / per_gpu, how many times less memory. communication: bytes sent / those of data parallelism.
    sent: bytes that each GPU sends in one step with ring collectives and bf16 gradients and weights.
    stages: the parts under all four stages. Activations are not counted.
    """
    stages = {s: {part: parameters * size / (gpus if part in SPLIT[s] else 1) for part, size in PARTS.items()} for s in SPLIT}
    baseline, per_gpu = (sum(stages[s].values()) for s in (0, stage))
    collectives = 3 if stage == 3 else 2  # each moves (N-1)/N of the model: reduce-scatter and all-gathers
    return {
        "per_gpu": per_gpu,
        "saving": baseline / per_gpu,
        "communication": collectives / 2,
        "baseline": baseline,
        **stages[stage],
        "sent": collectives * 2 * parameters * (gpus - 1) / gpus,
        "stages": {"stage": list(stages), **{part: [parts[part] for parts in stages.values()] for part in PARTS}},
    }


@zero_memory.figure
def draw(result, ax):
    from kernels import plot

    stages = result["stages"]
    rows = {"data parallel" if not stage else f"ZeRO-{stage}": {part: stages.values(part)[i] for part in PARTS} for i, stage in enumerate(stages.x)}
    plot.stacked_bars(ax, rows, unit="B", fills={"weights": plot.STONE, "gradients": plot.SAND, "optimizer": plot.ACCENT})
