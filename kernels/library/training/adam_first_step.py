"""Adam's update where the moments start from zero, in units of the learning rate, for one gradient g and a step count t before it.

    m = (1 - b1) g,  v = (1 - b2) g^2
    update / lr = m / (1 - b1^(t+1)) / sqrt(v / (1 - b2^(t+1)))        (Kingma and Ba 2014, arXiv 1412.6980, algorithm 1)

g cancels but for its sign. With t = 0 everything else cancels too: the update is 1. With a large t the corrections are gone, and
(1 - b1) / sqrt(1 - b2) is left. A run long under way whose gradients are noise moves by sqrt((1 - b1) / (1 + b1)), root mean square.
"""

from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"first": "", "running": "", "ratio": "", "uncorrected": ""})
def adam_first_step(
    beta1: Annotated[float, Bound(low=0.0, high=0.9999)] = 0.9,
    beta2: Annotated[float, Bound(low=0.5, high=0.99999)] = 0.999,
    step: Annotated[int, Bound(low=0)] = 0,
):
    """The first update with empty moments, in learning rates, where `step` steps are on the count; and that of a noisy run under way.

    running: root mean square for gradients without a mean. uncorrected: without bias correction, as after a very large count.
    """
    running = ((1 - beta1) / (1 + beta1)) ** 0.5
    return {
        "first": first(beta1, beta2, step),
        "running": running,
        "ratio": first(beta1, beta2, step) / running,
        "uncorrected": (1 - beta1) / (1 - beta2) ** 0.5,
    }


def first(beta1: float, beta2: float, step: int) -> float:
    return (1 - beta1) / (1 - beta1 ** (step + 1)) / ((1 - beta2) / (1 - beta2 ** (step + 1))) ** 0.5


@adam_first_step.figure
def draw(result, ax):
    from kernels import plot

    plot.bars(
        ax,
        {
            "mid-run, noise": result["running"],
            "fresh optimizer": first(result.parameters["beta1"], result.parameters["beta2"], 0),
            "count kept": result["uncorrected"],
        },
        "",
        highlight="count kept" if result.parameters["step"] else "fresh optimizer",
    )
