"""Where hosting an embedder oneself costs less than an API: a GPU is paid by the hour, an API by the token.

    own price of a million tokens, busy all the time   g / (3600 s r) * 1e6          g: a GPU-hour, r: tokens a second
    equal                                              at the share g 1e6 / (3600 r p) of the hour, p: the API's price of a million tokens

Engineers, spare machines and idle nights are not counted: they raise the own price.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

SHARES = [0.01 * 10 ** (k / 20) for k in range(41)]


@kernel(
    kind="formula",
    outputs={"own": "USD", "break_even": "", "even_tokens_day": "token", "even_tokens_second": "token/s", "sweep": Series("utilisation", "USD")},
)
def embedding_hosting(
    price_per_hour: Annotated[float, Bound("USD", low=1e-6, high=1e6)] = 2.5,
    tokens_per_second: Annotated[float, Bound("token/s", low=1e-3, high=1e12)] = 200_000.0,
    api_price: Annotated[float, Bound("USD", low=1e-9, high=1e6)] = 0.02,
    gpus: Annotated[int, Bound(low=1, high=100_000)] = 1,
):
    """The own price of a million embedded tokens on busy GPUs, and the load at which it equals an API's.

    price_per_hour: of one GPU, tokens_per_second: what it embeds, api_price: for a million tokens. gpus: that are kept, busy or not. break_even:
    the share of what they could do; above 1 the API is always cheaper. even_tokens_day: of all GPUs, on which both cost the same. sweep: the own
    price over the share of the capacity that is used, and the API's.
    """
    own = price_per_hour * 1e6 / (3600 * tokens_per_second)
    a_day = gpus * price_per_hour * 24 / api_price * 1e6
    return {
        "own": own,
        "break_even": own / api_price,
        "even_tokens_day": a_day,
        "even_tokens_second": a_day / 86_400,
        "sweep": {"utilisation": SHARES, "own": [own / share for share in SHARES], "API": [api_price] * len(SHARES)},
    }


@embedding_hosting.figure
def draw(result, ax):
    from kernels import plot

    even, price = result["break_even"], result.parameters["api_price"]
    plot.lines(
        ax,
        result["sweep"],
        xlog=True,
        ylog=True,
        labels={"own": "own GPU", "API": "API"},
        x_label="share of the capacity used",
        y_label="USD per million tokens",
    )
    if SHARES[0] <= even <= SHARES[-1]:
        plot.mark(ax, even, price, f"equal at {plot.show(even, 'percent')}", plot.AMBER, "right above", name="break-even")
