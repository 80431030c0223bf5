"""One pass of an encoder over a text, as a filter before or behind an LLM takes it: FLOP, bytes, and the rate that a time demands.

    FLOP = 2 * 12 L d^2 * tokens + 4 L d * tokens^2

The second term is the scores and the weighted values, every token with every token (Kaplan et al. 2020, arXiv 2001.08361, section 2.1, has the
first). Rates and bandwidths of GPUs: machines/_devices.py. What is printed of a GPU is a bound: launches and the tokenizer are not counted.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from kernels import Bound, Free, Lower, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.models._encoder import encoded
from kernels.library.models._models import SHAPES

if TYPE_CHECKING:
    Encoder = str
else:
    Encoder = Literal["bert-base", "bert-large"]


@kernel(
    kind="formula",
    outputs={
        "flops": "FLOP",
        "attention_share": "",
        "weights": "B",
        "demanded": "FLOP/s",
        "of_peak": "",
        "time": Lower("s"),
        "at_rate": "s",
    },
)
def classifier_pass(
    model: Encoder = "bert-base",
    tokens: Annotated[int, Bound("token", low=1, high=512)] = 512,
    seconds: Annotated[float, Bound("s", low=1e-6, high=60.0)] = 0.002,
    gpu: Gpu = "h100",
    rate: Annotated[float, Bound("FLOP/s", low=1e9, high=1e16), Free(2e11, 4e14)] = 1e12,
):
    """FLOP of a pass over `tokens`, the rate that doing it in `seconds` demands, and that rate as a share of a GPU's 16-bit peak.

    weights: in 16 bits. time: the longer of arithmetic and of reading the weights once, by the GPU's data sheet. at_rate: the time at `rate`, free
    because a filter may run on two cores of a server or reach two fifths of an H100.
    """
    shape, device = SHAPES[model], DEVICES[gpu]
    flops = encoded(shape.layers, shape.d_model, tokens)
    weights = 2 * shape.linear
    return {
        "flops": flops,
        "attention_share": 1 - 2 * shape.linear * tokens / flops,
        "weights": weights,
        "demanded": flops / seconds,
        "of_peak": flops / seconds / device.half,
        "time": max(flops / device.half, weights / device.bandwidth),
        "at_rate": flops / rate,
    }
