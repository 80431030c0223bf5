"""What a million tokens cost on GPUs of one's own, and from which load on that is less than an API asks.

    cost of a token = price of an hour / 3600 s / (throughput * utilisation)
    break-even rate = price of an hour / 3600 s / price of a token            break-even utilisation = that / throughput

An hour is paid whether or not tokens come, so that utilisation divides (Kwon et al. 2023, arXiv 2309.06180, section 1, on the cost of a request as
hardware over throughput). Prices are parameters. People, idle spares, storage and networks are not counted.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

MILLION = 10**6
LOADS = tuple(k / 50 for k in range(2, 51))


@kernel(
    kind="formula",
    outputs={
        "cost": "USD",
        "full_cost": "USD",
        "break_even_rate": "token/s",
        "break_even_utilisation": "",
        "of_api": "",
        "tokens_a_day": "token",
        "sweep": Series("utilisation", "USD"),
    },
)
def self_hosting_cost(
    hourly: Annotated[float, Bound("USD", low=0.01, high=1e4)] = 2.5,
    throughput: Annotated[float, Bound("token/s", low=1.0, high=1e7)] = 2500.0,
    utilisation: Annotated[float, Bound(low=0.001, high=1.0)] = 0.4,
    api: Annotated[float, Bound("USD", low=1e-3, high=1e4)] = 1.0,
):
    """Dollars a million tokens at a utilisation, and the rate and the utilisation at which an own GPU costs as much as an API.

    hourly: of the GPU, busy or not. throughput: tokens a second at full load. api: dollars a million tokens. cost, full_cost: a million tokens, at
    the utilisation and at full load. of_api: cost over the API's price. break_even_utilisation: above 1 where even a full GPU is dearer.
    tokens_a_day: at break-even. sweep: dollars a million tokens by utilisation.
    """
    second = hourly / 3600
    even = second / (api / MILLION)

    def cost(load: float) -> float:
        return second / (throughput * load) * MILLION

    return {
        "cost": cost(utilisation),
        "full_cost": cost(1.0),
        "break_even_rate": even,
        "break_even_utilisation": even / throughput,
        "of_api": cost(utilisation) / api,
        "tokens_a_day": even * 86400,
        "sweep": {"utilisation": LOADS, "own GPU": [cost(load) for load in LOADS]},
    }


@self_hosting_cost.figure
def draw(result, ax):
    from kernels import plot

    api, even = result.parameters["api"], result["break_even_utilisation"]
    plot.lines(
        ax, result["sweep"], labels={"own GPU": ""}, x_label="share of full load that is asked for", y_label="a million tokens", highlight="own GPU"
    )
    plot.hline(ax, api, f"API, USD {api:g}", plot.INK)
    ax.set_ylim(0, min(4 * api, result["sweep"].values("own GPU")[0]))
    if LOADS[0] < even < 1:
        plot.mark(ax, even, api, f"equal at {100 * even:.0f} %", plot.AMBER, "right above", name="break-even")
