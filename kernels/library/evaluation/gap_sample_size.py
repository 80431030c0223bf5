"""The test examples that it takes to see that a model's mean confidence differs from its accuracy.

An accuracy p measured on n examples has the standard error sqrt(p (1 - p) / n). A gap shows when it exceeds z standard
errors, z = 1.96 at 95 %; at that n it is found every second time, and with z + z_power for it in a share `power` of the
test sets (the usual sample size of a one-sample proportion, Fleiss, Levin and Paik 2003, section 2.5, with one variance).
"""

import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"examples": "", "standard_error": "", "z": ""})
def gap_sample_size(
    gap: Annotated[float, Bound(low=1e-6, high=0.999)] = 0.01,
    accuracy: Annotated[float, Bound(low=1e-6, high=1 - 1e-6)] = 0.88,
    confidence: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.95,
    power: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.5,
):
    z = NormalDist().inv_cdf((1 + confidence) / 2) + NormalDist().inv_cdf(power)
    variance = accuracy * (1 - accuracy)
    examples = math.ceil(z**2 * variance / gap**2)
    return {"examples": examples, "standard_error": math.sqrt(variance / examples), "z": z}
