"""An alarm on a monitored value that is above its mean by z standard deviations: how often it rings when nothing is wrong.

Values are independent; normal, or with the heavier tails of Student's t (3 degrees of freedom, scaled to variance 1), whose tail is
    P(T > t) = 1/2 - (atan(t / sqrt 3) + sqrt 3 t / (3 + t^2)) / pi
"""

import math
from typing import Annotated, Literal

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"chance": "", "alarms": "", "every": "", "alarms_in_a_row": ""})
def alarm_rate(
    z: Annotated[float, Bound(low=0.0, high=12.0)] = 3.0,
    steps: Annotated[int, Bound(low=1)] = 100_000,
    in_a_row: Annotated[int, Bound(low=1, high=10)] = 2,
    tail: Literal["normal", "heavy"] = "normal",
):
    """Chance of a false alarm at a step, false alarms over `steps`, steps between two, and alarms when `in_a_row` values must exceed z.

    alarms_in_a_row counts every step that ends such a run, which is exact for its expectation but for the first steps.
    """
    chance = math.erfc(z / math.sqrt(2)) / 2 if tail == "normal" else student_tail(z * math.sqrt(3))
    return {"chance": chance, "alarms": steps * chance, "every": 1 / chance, "alarms_in_a_row": max(0, steps - in_a_row + 1) * chance**in_a_row}


def student_tail(t: float) -> float:
    """P(T > t) with 3 degrees of freedom, whose variance is 3."""
    return 0.5 - (math.atan(t / math.sqrt(3)) + math.sqrt(3) * t / (3 + t * t)) / math.pi
