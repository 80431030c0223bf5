"""On the right track or off it: a chain of two states, with a way back.

Each step leaves the track with q and finds back with r. The chance to be on it after n steps, from a start on it:

    on(n) = s + (1 - s) (1 - q - r)^n        s = r / (q + r)        without a way back (1 - q)^n

(two-state Markov chain: Feller, An Introduction to Probability Theory I, section XVI.2.) That steps off the track are lost is not counted.
Behaviour cloning's bound of q T^2 mistakes, against u q T where the learner also sees its own (Ross, Gordon and Bagnell 2011, arXiv 1011.0686),
has the same cause.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

STEPS = tuple(range(0, 61, 2))


@kernel(
    kind="formula",
    outputs={"on": "", "without": "", "level": "", "back_after": "", "off_steps": "", "off_steps_without": "", "sweep": Series("steps", "")},
)
def recovery_chain(
    slip: Annotated[float, Bound(low=0.0001, high=0.9)] = 0.05,
    recover: Annotated[float, Bound(low=0.0001, high=1.0)] = 0.3,
    steps: Annotated[int, Bound(low=1, high=10_000)] = 50,
):
    """The chance to be on track after n steps, with a way back and without.

    slip: per step, from the track; recover: per step, back to it. level: where `on` settles. back_after: steps off the track on average.
    off_steps: of n, on average; without a way back off_steps_without. sweep: by steps.
    """
    level, decay = recover / (slip + recover), 1 - slip - recover

    def on(n: int) -> float:
        return level + (1 - level) * decay**n

    spent = (1 - decay**steps) / (1 - decay) * decay  # sum of decay^k, k = 1 .. steps
    kept = (1 - slip) * (1 - (1 - slip) ** steps) / slip
    return {
        "on": on(steps),
        "without": (1 - slip) ** steps,
        "level": level,
        "back_after": 1 / recover,
        "off_steps": (1 - level) * (steps - spent),
        "off_steps_without": steps - kept,
        "sweep": {"steps": STEPS, "finds back": [on(n) for n in STEPS], "never back": [(1 - slip) ** n for n in STEPS]},
    }


@recovery_chain.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], unit="percent", x_label="steps", y_label="chance to be on track")
