"""The share of a training step that a pipeline of equal stages stands idle, by the number of micro-batches.

Each of p stages works on every micro-batch once forward and once backward. The last stage starts p-1 forward passes after the first and the
first one ends p-1 backward passes after the last, so a step of m micro-batches takes m + p - 1 turns of forward and backward instead of m:

    bubble = (p-1) / (m+p-1) of the step           overhead = (p-1) / m over the work itself

(Huang et al. 2019, GPipe, arXiv 1811.06965, section 2.3; Narayanan et al. 2021, Megatron-LM, arXiv 2104.04473, section 2.2.) GPipe runs all
forward passes first and keeps the activations of m micro-batches; 1F1B goes backward as soon as it can, which leaves the bubble and keeps
at most p. Sending between stages takes no time here, and a backward pass twice as long as a forward pass, half of it for the weights.

What is idle, F a stage's forward pass, B its backward pass, W the part of it for the weights:

    1F1B         (p - 1) (F + B)
    interleaved  (p - 1) (F + B) / v          v chunks of layers a GPU (Narayanan et al. 2021, section 2.2)
    ZB1P         (p - 1) (F + B - 2 W)        (Qi et al. 2023, Zero Bubble, arXiv 2401.10241)
    DualPipe     (p/2 - 1) (F&B + B - 3 W)    p even; F&B: a forward and a backward pass that overlap, here F + B

(The table of github.com/deepseek-ai/DualPipe at 89f5de1, opened on 28 November 2026, which counts twice the parameters for DualPipe.)
"""

import math
from typing import Annotated

from kernels import Bound, kernel

FORWARD, BACKWARD, WEIGHTS = 1, 2, 1  # time of one micro-batch in one stage; of the backward pass, that for the weights' gradients
GOAL = 0.1  # the bubble that least_micro_batches stays within


@kernel(
    kind="formula",
    outputs={
        "bubble": "",
        "overhead": "",
        "interleaved": "",
        "zero_bubble": "",
        "dualpipe": "",
        "bubble_one": "",
        "step_over_one": "",
        "gpipe_in_flight": "",
        "one_f_one_b_in_flight": "",
        "least_micro_batches": "",
    },
)
def pipeline_bubble(
    stages: Annotated[int, Bound(low=2, high=64)],
    micro_batches: Annotated[int, Bound(low=1, high=4096)],
    chunks: Annotated[int, Bound(low=1, high=64)] = 2,
):
    """The idle share of a pipelined step, and how many micro-batches' activations the first stage holds at once under GPipe and 1F1B.

    overhead: idle time over working time. bubble_one: with a single micro-batch. step_over_one: the same batch's step time over that with a single
    micro-batch. least_micro_batches: from which on the bubble is 10 % or less. interleaved: the idle share with `chunks` chunks of layers a GPU;
    zero_bubble, dualpipe: under ZB1P and DualPipe.
    """
    one = FORWARD + BACKWARD

    def share(waiting: float) -> float:
        return waiting / (waiting + micro_batches * one)

    return {
        "bubble": idle(stages, micro_batches),
        "overhead": (stages - 1) / micro_batches,
        "interleaved": share((stages - 1) * one / chunks),
        "zero_bubble": share((stages - 1) * (one - 2 * WEIGHTS)),
        "dualpipe": share((stages / 2 - 1) * (one + BACKWARD - 3 * WEIGHTS)),
        "bubble_one": idle(stages, 1),
        "step_over_one": (micro_batches + stages - 1) / micro_batches / stages,
        "gpipe_in_flight": micro_batches,
        "one_f_one_b_in_flight": min(stages, micro_batches),
        "least_micro_batches": math.ceil((stages - 1) * (1 - GOAL) / GOAL - 1e-9),
    }


def idle(stages: int, micro_batches: int) -> float:
    return (stages - 1) / (micro_batches + stages - 1)


def gpipe(stages: int, micro_batches: int) -> list[tuple[int, int, bool, float, float]]:
    """(stage, micro-batch, backward, start, length) of all passes, in a time where the whole batch takes 1 forward and 2 backward."""
    size = 1 / micro_batches
    turn = (micro_batches + stages - 1) * FORWARD * size  # when the last stage has gone forward
    passes = []
    for stage in range(stages):
        for micro in range(micro_batches):
            passes.append((stage, micro, False, (stage + micro) * FORWARD * size, FORWARD * size))
            passes.append((stage, micro, True, turn + (stages - 1 - stage + micro) * BACKWARD * size, BACKWARD * size))
    return passes


@pipeline_bubble.figure
def draw(result, ax):
    from matplotlib.patches import Rectangle

    from kernels import plot

    stages, most = result.parameters["stages"], result.parameters["micro_batches"]
    high, gap, top = 15, 3, 0.0
    px = (plot.WIDTH - 4 - 52) / (stages * (FORWARD + BACKWARD))
    for micro_batches in dict.fromkeys((1, most)):
        share = plot.show(idle(stages, micro_batches), "percent")
        head = f"{micro_batches} micro-batch{'es' if micro_batches > 1 else ''}: {share} idle"
        ax.text(0, top + 11, head, color=plot.INK, fontsize=plot.TEXT, weight="bold" if micro_batches == most else "normal")
        top += 19
        whole = (micro_batches + stages - 1) / micro_batches * (FORWARD + BACKWARD)
        for stage in range(stages):
            y = top + stage * (high + gap)
            ax.text(44, y + 11.5, f"GPU {stage + 1}", color=plot.MUTED, fontsize=plot.SMALL, ha="right")
            ax.add_patch(Rectangle((52, y), whole * px, high, facecolor="none", edgecolor=plot.HAIRLINE, linewidth=0.8))
        for stage, _, backward, start, length in gpipe(stages, micro_batches):
            y = top + stage * (high + gap)
            wide = length * px
            ax.add_patch(Rectangle((52 + start * px, y), max(wide - 0.8, 0.4), high, facecolor=plot.ACCENT if backward else plot.SKY))
            if micro_batches == 1 and stage == 0:  # where the stage is idle beside it
                text, side, x = ("backward", "right", start * px - 5) if backward else ("forward", "left", wide + 5)
                ax.text(52 + x, y + 11.5, text, color=plot.ACCENT if backward else plot.MUTED, fontsize=plot.SMALL, ha=side)
        top += stages * (high + gap) + 12
    ax.set_xlim(0, plot.WIDTH - 4)
    ax.set_ylim(top - 12, 0)
    ax.axis("off")
    plot.height(ax, round(top) - 8)
    bubbles = ", ".join(f"{plot.show(idle(stages, m), 'percent')} with {m}" for m in dict.fromkeys((1, most)))
    return f"Schedules of {stages} pipeline stages, forward and backward passes over time. Idle by number of micro-batches: {bubbles}."
