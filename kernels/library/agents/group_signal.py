"""What a group of rollouts of one task teaches, where the reward is 1 or 0 and each is compared with the group's mean.

    variance of the reward = p (1 - p)        no signal = p^G + (1 - p)^G        mean variance inside a group = p (1 - p) (G - 1) / G

GRPO's advantage is (r - mean) / sd over the group (Shao et al. 2024, DeepSeekMath, arXiv 2402.03300, section 4.1), which is nothing where all
are alike; DAPO draws again until they are not (Yu et al. 2025, arXiv 2503.14476, section 3.2). One success among G has the advantage sqrt(G - 1),
each failure -1 / sqrt(G - 1).
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

RATES = tuple(k / 50 for k in range(51))
GROUPS = (2, 8, 64)


def alike(p: float, group: int) -> float:
    return p**group + (1 - p) ** group


@kernel(
    kind="formula",
    outputs={
        "no_signal": "",
        "signal": "",
        "variance": "",
        "group_variance": "",
        "rollouts_per_signal": "",
        "group_for": "",
        "lone_success": "",
        "lone_failure": "",
        "sweep": Series("p", ""),
    },
)
def group_signal(
    p: Annotated[float, Bound(low=0.001, high=0.999)] = 0.05,
    group: Annotated[int, Bound(low=2, high=10_000)] = 8,
    share: Annotated[float, Bound(low=0.01, high=0.999)] = 0.9,
):
    """How often a group of rollouts holds both a success and a failure, and the size at which a share of the groups does.

    p: a rollout's success. no_signal: groups all of one kind. variance: of one reward. group_variance: inside a group, on average.
    rollouts_per_signal: rollouts for each group with both. group_for: the least size with both in `share` of the groups. lone_success: its
    advantage among failures, lone_failure: a failure's beside one success. sweep: groups with both by p, for three sizes.
    """
    need = 2
    while 1 - alike(p, need) < share - 1e-12:
        need += 1
    none = alike(p, group)
    return {
        "no_signal": none,
        "signal": 1 - none,
        "variance": p * (1 - p),
        "group_variance": p * (1 - p) * (group - 1) / group,
        "rollouts_per_signal": group / (1 - none),
        "group_for": need,
        "lone_success": math.sqrt(group - 1),
        "lone_failure": -1 / math.sqrt(group - 1),
        "sweep": {"p": RATES, **{f"G = {g}": [1 - alike(p, g) for p in RATES] for g in GROUPS}},
    }


@group_signal.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 210)
    curve = result["sweep"]
    plot.lines(
        ax,
        curve,
        unit="percent",
        labels=dict.fromkeys(curve.lines, ""),
        x_label="a rollout's success p",
        y_label="groups with both successes and failures",
    )
    ax.set_ylim(0, 1.14)
    for name, side, color in (("G = 2", -6, plot.STROKES[0]), ("G = 8", -6, plot.STROKES[1]), ("G = 64", 4, plot.STROKES[2])):
        style = {"textcoords": "offset points", "color": color, "ha": "center", "va": "top" if side < 0 else "bottom"}
        ax.annotate(name, (0.5, curve.values(name)[25]), xytext=(0, side), **style)
