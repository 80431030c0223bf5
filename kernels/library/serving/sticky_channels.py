"""Servers that get nothing where long-lived connections are balanced, not requests.

Each of c clients opens one connection and sends all of its calls over it. A balancer that gives each connection to a server at random leaves

    idle servers, on average = s (1 - 1/s)^c            one that deals them out in turn: max(0, s - c)

(balls into bins: Feller, An Introduction to Probability Theory and Its Applications I, section II.5.) Balanced call by call, none is idle once
there are calls enough.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

SHOWN = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64)


@kernel(kind="formula", outputs={"idle": "", "idle_share": "", "idle_in_turn": "", "all_busy": "", "sweep": Series("clients", "")})
def sticky_channels(
    clients: Annotated[int, Bound(low=1, high=100_000)] = 6,
    servers: Annotated[int, Bound(low=1, high=1000)] = 8,
):
    """Servers without any connection, on average, where each client's one connection goes to a random server.

    idle_in_turn: where connections are dealt out in turn. all_busy: the chance that no server is idle, by inclusion and exclusion while that is
    exact. sweep: the idle share by clients.
    """

    def share(c: int) -> float:
        return (1 - 1 / servers) ** c

    return {
        "idle": servers * share(clients),
        "idle_share": share(clients),
        "idle_in_turn": max(0, servers - clients),
        "all_busy": covered(clients, servers),
        "sweep": {"clients": SHOWN, "idle": [share(c) for c in SHOWN]},
    }


def covered(clients: int, servers: int) -> float:
    """The chance that every server has a connection, by the number of those that have one, client by client."""
    if clients < servers:
        return 0.0
    if clients > 60 * servers:
        return max(0.0, 1 - servers * (1 - 1 / servers) ** clients)
    row = [1.0] + [0.0] * servers
    for _ in range(min(clients, 20_000)):
        row = [0.0, *(row[k] * k / servers + row[k - 1] * (servers - k + 1) / servers for k in range(1, servers + 1))]
    return row[servers]


@sticky_channels.figure
def draw(result, ax):
    from kernels import plot

    clients, share = result.parameters["clients"], result["idle_share"]
    plot.lines(
        ax,
        result["sweep"],
        unit="percent",
        labels={"idle": ""},
        x_label="clients, one connection each",
        y_label="servers without any",
        highlight="idle",
    )
    plot.mark(ax, clients, share, f"{100 * share:.0f} % at {clients}", plot.AMBER, "right above", name="idle")
