"""How often a reservoir of k changes over a stream of n items, after it is filled, and how many random numbers that takes.

Item i > k enters with probability k / i (Vitter 1985, algorithm R, ACM TOMS 11(1)), so the expected number of
replacements is the sum of k / i from k + 1 to n: k (H_n - H_k), with the harmonic numbers H, or nearly k ln(n / k).

Algorithm R draws one number an item. Algorithm L (Li 1994, ACM TOMS 20(4)) draws how many items to skip: one number for its first threshold, one
for each skip, the last of which leaves the stream, and two more a replacement, for the slot and the next threshold: 2 + 3 a replacement.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, kernel

EULER = 0.5772156649015329
OUTPUTS = ("replacements", "approximation", "inclusion", "changed", "draws_skipping", "draws_by_item")


@kernel(kind="formula", outputs=dict.fromkeys(OUTPUTS, ""))
def reservoir_replacements(k: Annotated[int, Bound(low=1)] = 1000, n: Annotated[int, Bound(low=1)] = 1_000_000_000):
    """The expected replacements in a reservoir of k over n items, and the random numbers that Algorithm L and Algorithm R draw for them.

    inclusion: each item's chance to be in the reservoir at the end. changed: the share of the stream's items that changed it, the fill apart.
    """
    if k > n:
        raise KernelError(f"reservoir_replacements: k is {k}, but must be at most n, {n}")
    replacements = k * (harmonic(n) - harmonic(k))
    return {
        "replacements": replacements,
        "approximation": k * math.log(n / k),
        "inclusion": k / n,
        "changed": replacements / n,
        "draws_skipping": 2 + 3 * replacements,
        "draws_by_item": n - k,
    }


def harmonic(n: int) -> float:
    """1 + 1/2 + ... + 1/n: summed up to 1000, by Euler and Maclaurin's series beyond, either way to the last digits of a float."""
    if n <= 1000:
        return math.fsum(1 / i for i in range(1, n + 1))
    return math.log(n) + EULER + 1 / (2 * n) - 1 / (12 * n**2) + 1 / (120 * n**4)
