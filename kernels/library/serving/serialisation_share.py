"""What a faster protocol can gain on a whole request: Amdahl's law with the model as the part that stays.

    latency = protocol + model        gain = (slow + model) / (fast + model)        limit slow / fast as the model's time goes to 0

(Amdahl 1967, AFIPS 30.) slow and fast: what encoding, sending and decoding take with either protocol.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

Seconds = Annotated[float, Bound("s", low=1e-9, high=100.0)]
SHOWN = tuple(1e-4 * 10 ** (k / 8) for k in range(33))


@kernel(
    kind="formula", outputs={"gain": "", "alone": "", "saved": "s", "saved_share": "", "doubles_below": "s", "sweep": Series("model", "", x_unit="s")}
)
def serialisation_share(
    slow: Seconds = 1e-3,
    fast: Seconds = 2e-4,
    model: Annotated[float, Bound("s", low=0.0, high=1e4)] = 0.5,
):
    """How much faster a whole request gets where the protocol's part shrinks from slow to fast, by the model's time.

    alone: without any model. saved_share: of the slow request. doubles_below: the model's time below which the request becomes at least twice as
    fast, 0 where it never does. sweep: the gain by the model's time.
    """

    def gain(m: float) -> float:
        return (slow + m) / (fast + m)

    return {
        "gain": gain(model),
        "alone": gain(0.0),
        "saved": slow - fast,
        "saved_share": (slow - fast) / (slow + model),
        "doubles_below": max(0.0, slow - 2 * fast),
        "sweep": {"model": SHOWN, "gain": [gain(m) for m in SHOWN]},
    }


@serialisation_share.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        xlog=True,
        labels={"gain": ""},
        x_label="the model's time",
        y_label="times as fast, from end to end",
        highlight="gain",
        zero=False,
    )
    model, gain = result.parameters["model"], result["gain"]
    if SHOWN[0] < model < SHOWN[-1]:
        plot.mark(ax, model, gain, f"{gain:.3g} times at {plot.show(model, 's')}", plot.AMBER, "left above", name="gain")
    plot.hline(ax, 1.0, "no gain")
