"""What running texts through an encoder takes: FLOP, seconds on a GPU that sustains a given rate, machines and money.

    FLOP of a text of T tokens   2 * 12 L d^2 T  +  4 L T^2 d      (blocks whose MLP is four times as wide as d; scores and weighted values)

(Kaplan et al. 2020, arXiv 2001.08361, section 2.1, with attention that looks both ways.) Embedding lookup, pooling and norms are left out. The
rate that is sustained is a premise: small batches and small models stay below it. A cross-encoder's text is the query and the passage together.
"""

import math
from typing import Annotated

from kernels import Bound, Free, kernel
from kernels.library.models._encoder import encoded


@kernel(
    kind="formula",
    outputs={
        "weights": "",
        "flop": "FLOP",
        "attention_share": "",
        "per_second": "1/s",
        "tokens_per_second": "token/s",
        "time": "s",
        "gpus": "",
        "serial_time": "s",
        "serial_gpus": "",
        "cost": "USD",
        "cost_per_million": "USD",
        "vectors": "B",
        "comparison": "FLOP",
    },
)
def embedding_throughput(
    texts: Annotated[float, Bound(low=1, high=1e12)] = 1e9,
    tokens: Annotated[int, Bound("token", low=1, high=1_000_000), Free(32, 512)] = 32,
    layers: Annotated[int, Bound(low=1, high=1000)] = 12,
    width: Annotated[int, Bound(low=1, high=100_000)] = 768,
    rate: Annotated[float, Bound("FLOP/s", low=1e6, high=1e18)] = 200e12,
    load: Annotated[float, Bound("1/s", low=1e-3, high=1e12)] = 100_000.0,
    latency: Annotated[float, Bound("s", low=1e-6, high=1e4)] = 0.010,
    price_per_hour: Annotated[float, Bound("USD", low=0.0, high=1e6)] = 2.5,
    dimension: Annotated[int, Bound(low=1, high=1_000_000)] = 768,
    value_bytes: Annotated[int, Bound("B", low=1, high=8)] = 4,
):
    """FLOP, time, GPUs and money to run texts through an encoder, batched at a sustained rate and one after the other.

    tokens: of a text, free between a short passage's and BERT's whole window. time: of all texts on one GPU; gpus: that carry `load` texts a
    second; serial: one text at a time, `latency` each. cost: of all texts, at the price of a GPU-hour; cost_per_million: of a million tokens.
    vectors: what is stored. comparison: FLOP of a dot product of two vectors, once both texts are encoded.
    """
    weights = 12 * layers * width**2
    flop = encoded(layers, width, tokens)
    each = flop / rate
    return {
        "weights": weights,
        "flop": flop,
        "attention_share": 1 - 2 * weights * tokens / flop,
        "per_second": 1 / each,
        "tokens_per_second": tokens / each,
        "time": texts * each,
        "gpus": math.ceil(load * each),
        "serial_time": texts * latency,
        "serial_gpus": math.ceil(load * latency - 1e-9),
        "cost": texts * each / 3600 * price_per_hour,
        "cost_per_million": 1e6 * each / tokens / 3600 * price_per_hour,
        "vectors": texts * dimension * value_bytes,
        "comparison": 2 * dimension,
    }
