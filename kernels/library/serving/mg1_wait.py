"""How long a request waits for one server that serves one at a time: the formula of Pollaczek and Khinchine.

    wait = rate * E[S^2] / (2 (1 - u))  =  u / (1 - u) * (1 + cv^2) / 2 * S        u = rate * S

(Pollaczek 1930; Khinchine 1932; Kleinrock 1975, Queueing Systems I, section 5.6.) Requests come as a Poisson process and are served in their order;
S is the mean time of service and cv its standard deviation over its mean: 0 where all are alike, 1 where it is exponential.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

LOADS = tuple(k / 100 for k in range(96))


@kernel(
    kind="formula",
    outputs={
        "utilisation": "",
        "wait": "s",
        "latency": "s",
        "wait_alike": "s",
        "waiting": "",
        "wait_over_service": "",
        "sweep": Series("utilisation", ""),
    },
)
def mg1_wait(
    rate: Annotated[float, Bound("1/s", low=1e-6, high=1e6)] = 0.45,
    service: Annotated[float, Bound("s", low=1e-6, high=1e4)] = 2.0,
    cv: Annotated[float, Bound(low=0.0, high=20.0)] = 1.0,
):
    """The mean wait before one server, by its utilisation and by how unlike the times of service are.

    latency: wait and service. wait_alike: were all requests alike. waiting: requests in the queue on average. sweep: wait over service against
    utilisation.
    """
    u = rate * service
    if u >= 1:
        raise KernelError(f"mg1_wait: at {u:.3g} of the server's time the queue never ends (rate * service must be below 1)")
    spread = (1 + cv * cv) / 2
    wait = u / (1 - u) * spread * service
    return {
        "utilisation": u,
        "wait": wait,
        "latency": wait + service,
        "wait_alike": wait / (2 * spread),
        "waiting": rate * wait,
        "wait_over_service": wait / service,
        "sweep": {"utilisation": LOADS, "wait": [x / (1 - x) * spread for x in LOADS]},
    }


@mg1_wait.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"wait": ""}, x_label="share of time that the server is busy", y_label="mean wait, in times of service")
    for load in (0.5, 0.8, 0.9):
        k = LOADS.index(load)
        wait = result["sweep"].values("wait")[k]
        plot.mark(ax, load, wait, f"{wait:.3g} at {100 * load:.0f} %", plot.AMBER if load == 0.9 else plot.INK, "left above")
