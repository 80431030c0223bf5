"""How far a car goes until it stands: the way of the driver's reaction, and that of the brakes.

    reaction = v t        braking = v^2 / (2 a)        (constant deceleration a)

One file is one kernel; file, function and kernel have one name. It computes in SI base units, without rounding, and a card says
in which unit and with how many digits it shows a number. `warpdeck kernels run stopping_distance speed=30` tries it.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

SPEEDS = range(0, 41, 5)  # m/s, those of the figure


@kernel(
    kind="formula",  # evaluated by every build; the other kinds are executed once and recorded
    outputs={"reaction": "m", "braking": "m", "total": "m", "sweep": Series("speed", "m", x_unit="m/s")},
)
def stopping_distance(
    speed: Annotated[float, Bound("m/s", low=0, high=100)],  # no default: a card must give it
    delay: Annotated[float, Bound("s", low=0, high=10)] = 1.0,
    deceleration: Annotated[float, Bound("m/s/s", low=0.1, high=12)] = 8.0,
):
    """The distance in which a car stops: what it covers while its driver reacts, and while it brakes."""

    def reaction(v: float) -> float:
        return v * delay

    def braking(v: float) -> float:
        return v**2 / (2 * deceleration)

    return {
        "reaction": reaction(speed),
        "braking": braking(speed),
        "total": reaction(speed) + braking(speed),
        "sweep": {"speed": list(SPEEDS), "reaction": list(map(reaction, SPEEDS)), "braking": list(map(braking, SPEEDS))},
    }


@stopping_distance.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], x_label="speed", y_label="distance")
