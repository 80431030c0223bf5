"""Cross-entropy, in nats, of models that know nothing: uniform, uniform but for random logits, and sure of themselves.

uniform            ln C
normal logits      ln C + s^2 / 2 for many classes: E ln sum exp(z) -> ln C + s^2 / 2, while the label's own logit is 0 on average
sure by p          -a ln p - (1 - a) ln((1 - p) / (C - 1)) with accuracy a
"""

import math
from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"uniform": "", "perplexity": "", "at_start": "", "confident": "", "reversed": "", "shift_to_double": ""})
def chance_loss(
    classes: Annotated[int, Bound(low=2)] = 2,
    logit_std: Annotated[float, Bound(low=0.0, high=10.0)] = 0.0,
    confidence: Annotated[float, Bound(low=0.01, high=0.999999)] = 0.99,
    accuracy: Annotated[float, Bound(low=0.0, high=1.0)] = 0.5,
):
    """The loss at chance; at_start: with random logits; confident: always `confidence` in one class, right so often; reversed: never right.

    at_start holds for many classes. shift_to_double: the standard deviation of the logits that doubles the uniform loss.
    """
    uniform, missed = math.log(classes), math.log((1 - confidence) / (classes - 1))
    return {
        "uniform": uniform,
        "perplexity": math.exp(uniform),
        "at_start": uniform + logit_std**2 / 2,
        "confident": -accuracy * math.log(confidence) - (1 - accuracy) * missed,
        "reversed": -missed,
        "shift_to_double": math.sqrt(2 * uniform),
    }
