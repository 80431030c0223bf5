"""How long new hosts take until they serve: to be had and started, to read the weights, and to warm up.

    start = boot + weights / min(link, disk, store / hosts) + warm

All new hosts read the same weights from one store at once, whose rate they share, each through a link of its own; a copy on the host's disk makes
the disk the source instead.
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.models._models import AnyModel
from kernels.library.models.model_shape import model_shape

FLEETS = (1, 2, 4, 8, 16, 32, 64, 128)


@kernel(
    kind="formula",
    outputs={
        "weights": "B",
        "rate": "B/s",
        "reading": "s",
        "start": "s",
        "alone": "s",
        "local": "s",
        "store_bound": "",
        "sweep": Series("hosts", "s"),
    },
)
def host_start(
    hosts: Annotated[int, Bound(low=1, high=1_000_000)] = 40,
    link: Annotated[float, Bound("B/s", low=1e6, high=1e13)] = 3.125e9,
    store: Annotated[float, Bound("B/s", low=1e6, high=1e15)] = 12.5e9,
    disk: Annotated[float, Bound("B/s", low=1e6, high=1e13)] = 5e9,
    boot: Annotated[float, Bound("s", low=0.0, high=1e5)] = 60.0,
    warm: Annotated[float, Bound("s", low=0.0, high=1e5)] = 30.0,
    model: AnyModel = "llama-3-70b",
):
    """Seconds until new hosts serve a model in 16 bits, which all of them read at once from one store.

    rate: that each reads at; reading: the weights. alone: start of a single new host; local: with the weights on its disk. store_bound: the number of
    hosts from which the store is slower than a link. sweep: start by hosts, from the store and from the host's own disk.
    """
    weights = 2.0 * model_shape(model=model)["parameters"]

    def start(n: int) -> float:
        return boot + weights / min(link, store / n) + warm

    rate = min(link, store / hosts)
    own = boot + weights / disk + warm
    return {
        "weights": weights,
        "rate": rate,
        "reading": weights / rate,
        "start": start(hosts),
        "alone": start(1),
        "local": own,
        "store_bound": store / link,
        "sweep": {"hosts": FLEETS, "one store": [start(n) for n in FLEETS], "own disk": [own] * len(FLEETS)},
    }


@host_start.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, x_label="hosts that start at once", y_label="until they serve", highlight="one store")
