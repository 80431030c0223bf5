"""Amdahl's law forwards: how much faster a whole gets where one part of it does, and what a target asks of the part.

    overall = 1 / (1 - share + share / faster)        ceiling = 1 / (1 - share)
    a target t needs share >= 1 - 1 / t, and then faster = share / (1 / t - (1 - share))

(Amdahl 1967, Validity of the single processor approach to achieving large scale computing capabilities, AFIPS 30.) Parts run one after another.
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel


def speedup(share: float, faster: float) -> float:
    return 1 / (1 - share + share / faster)


@kernel(
    kind="formula",
    outputs={"overall": "", "ceiling": "", "after": "s", "floor": "s", "needed_share": "", "needed_faster": ""},
)
def amdahl_limit(
    share: Annotated[float, Bound(low=0.0, high=0.9999)] = 0.2,
    faster: Annotated[float, Bound(low=1.0, high=1e9)] = 2.0,
    target: Annotated[float, Bound(low=1.0, high=1e6)] = 4.0,
    total: Annotated[float, Bound("s", low=1e-6, high=1e6)] = 0.4,
    asked: bool = False,
):
    """The whole's speed-up where a share of its time gets faster, its limit, and the share and the speed-up that a target needs.

    after, floor: the time of the whole then, and with that part at no time. needed_share: with the part at no time. needed_faster: of this share, 0
    where no speed-up is enough; asked: refuse that.
    """
    spare = 1 / target - (1 - share)
    if asked and spare <= 1e-12:
        raise KernelError(f"amdahl_limit: a share of {share:g} cannot reach {target:g} times (it needs more than {1 - 1 / target:g})")
    return {
        "overall": speedup(share, faster),
        "ceiling": 1 / (1 - share),
        "after": total / speedup(share, faster),
        "floor": total * (1 - share),
        "needed_share": 1 - 1 / target,
        "needed_faster": share / spare if spare > 1e-12 else 0.0,
    }
