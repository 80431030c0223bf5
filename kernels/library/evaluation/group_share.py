"""How large a group can be that does badly while the whole does well: the overall accuracy is a mean weighted by the groups' shares.

    overall = w group + (1 - w) rest        w = (rest - overall) / (rest - group)

The group's accuracy measured on n examples has the standard error sqrt(a (1 - a) / n).
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, kernel


@kernel(kind="formula", outputs={"share": "", "largest_share": "", "error_share": "", "standard_error": ""})
def group_share(
    overall: Annotated[float, Bound(low=0.0, high=1.0)] = 0.95,
    group: Annotated[float, Bound(low=0.0, high=1.0)] = 0.60,
    rest: Annotated[float, Bound(low=0.0, high=1.0)] = 0.98,
    n: Annotated[int, Bound(low=1)] = 100,
):
    """The share of a group, from its accuracy, that of all others and the overall one; at most largest_share, where the rest makes no error.

    error_share: which share of all errors falls on the group. standard_error: of the group's accuracy on n of its examples.
    """
    if not group < overall <= rest:
        raise KernelError(f"group_share: overall is {overall:g}, but must lie above group ({group:g}) and not above rest ({rest:g})")
    share = (rest - overall) / (rest - group)
    return {
        "share": share,
        "largest_share": (1 - overall) / (1 - group),
        "error_share": share * (1 - group) / (1 - overall) if overall < 1 else 0.0,
        "standard_error": math.sqrt(group * (1 - group) / n),
    }
