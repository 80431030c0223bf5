"""How many machines an agent's rollouts keep busy, and what their time goes to.

    episode = reset + steps * (model + environment)        machines = rollouts / period * episode        (Little 1961, Operations Research 9(3))

One machine holds one episode at a time. With no time of the model's at all an episode would be 1 / (1 - its share) times as fast (Amdahl 1967).
The mean counts, so episodes that differ in length need the same number if machines are handed on at once, and more if a batch waits for its last.
"""

import math
from typing import Annotated

from kernels import Bound, kernel


@kernel(
    kind="formula",
    outputs={
        "episode": "s",
        "machines": "",
        "rollouts": "",
        "model_share": "",
        "environment_share": "",
        "reset_share": "",
        "instant_model": "",
        "twice_the_model": "",
        "in_generation": "",
        "per_hour": "",
    },
)
def rollout_capacity(
    tasks: Annotated[int, Bound(low=1, high=100_000)] = 64,
    group: Annotated[int, Bound(low=1, high=10_000)] = 8,
    steps: Annotated[int, Bound(low=1, high=10_000)] = 30,
    model: Annotated[float, Bound("s", low=1e-3, high=1e3)] = 1.0,
    environment: Annotated[float, Bound("s", low=1e-3, high=1e3)] = 3.0,
    reset: Annotated[float, Bound("s", low=0.0, high=1e4)] = 30.0,
    period: Annotated[float, Bound("s", low=1.0, high=1e6)] = 600.0,
):
    """The machines that keep up with a batch of rollouts every so often, and the shares of an episode.

    tasks, group: of a batch; rollouts: their product. steps: of an episode. model, environment: time of one step in each. reset: of a machine,
    before an episode. period: in which one batch must be done. instant_model, twice_the_model: speed-ups of an episode by a model without time,
    and by one twice as fast. in_generation: rollouts that wait for the model at any moment, on average. per_hour: episodes of one machine.
    """
    episode = reset + steps * (model + environment)
    rollouts = tasks * group
    busy = rollouts * episode / period
    share = steps * model / episode
    return {
        "episode": episode,
        "machines": math.ceil(busy - 1e-9),
        "rollouts": rollouts,
        "model_share": share,
        "environment_share": steps * environment / episode,
        "reset_share": reset / episode,
        "instant_model": 1 / (1 - share),
        "twice_the_model": 1 / (1 - share / 2),
        "in_generation": busy * share,
        "per_hour": 3600 / episode,
    }


@rollout_capacity.figure
def draw(result, ax):
    from kernels import plot

    episode = result["episode"]
    given = result.parameters
    rows = {
        "now": {"reset": given["reset"], "environment": given["steps"] * given["environment"], "model": given["steps"] * given["model"]},
        "model twice as fast": {
            "reset": given["reset"],
            "environment": given["steps"] * given["environment"],
            "model": given["steps"] * given["model"] / 2,
        },
    }
    plot.stacked_bars(ax, rows, "s")
    return (
        f"An episode takes {plot.show(episode, 's')}: reset, the environment's steps and the model's. "
        "With a model twice as fast only its own part is half as long."
    )
