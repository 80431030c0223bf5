"""Chinchilla's law at a fixed model: what more tokens take off the loss, and what exponent a straight line through it would show.

    L(N, D) = E + A / N^a + B / D^b           -d ln L / d ln D = b (B / D^b) / L,  far below b where the floor E + A / N^a is most of L

Hoffmann et al. 2022, arXiv 2203.15556, appendix D.3, constants as printed there (E 1.69, A 406.4, a 0.34, B 410.7, b 0.28). Besiroglu et al. 2024,
arXiv 2404.10102, fit the same runs otherwise (E 1.8172, A 482.01, a 0.3478, B 2085.43, b 0.3658): both sets are in use.
"""

from typing import Annotated, Literal, NamedTuple

from kernels import Bound, Series, kernel


class Law(NamedTuple):
    floor: float
    a: float
    alpha: float
    b: float
    beta: float


LAWS = {"hoffmann": Law(1.69, 406.4, 0.34, 410.7, 0.28), "besiroglu": Law(1.8172, 482.01, 0.3478, 2085.43, 0.3658)}


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("loss", "after", "change", "entropy", "model_term", "data_term", "data_left", "floor_share"), ""),
        **dict.fromkeys(("exponent", "apparent", "dimension", "apparent_dimension", "larger_model"), ""),
        "sweep": Series("tokens", "", "token"),
    },
)
def chinchilla_data(
    parameters: Annotated[float, Bound(low=1e6, high=1e14)] = 70e9,
    tokens: Annotated[float, Bound("token", low=1e8, high=1e16)] = 1.4e12,
    factor: Annotated[float, Bound(low=1.0, high=1e4)] = 10.0,
    constants: Literal["hoffmann", "besiroglu"] = "hoffmann",
):
    """Loss in nats a token before and after `factor` times the tokens, the law's parts, and two exponents: the data term's and the whole loss's.

    data_left: of the data term. dimension: 4 over the exponent; apparent_dimension: 4 over that of the whole loss at `tokens`. larger_model: the loss
    where the model grows by `factor` in place of the data. constants: two fits of the same runs. sweep: the loss by tokens.
    """
    law = LAWS[constants]

    def loss(n: float, d: float) -> float:
        return law.floor + law.a / n**law.alpha + law.b / d**law.beta

    now, after = loss(parameters, tokens), loss(parameters, tokens * factor)
    term = law.b / tokens**law.beta
    apparent = law.beta * term / now
    grid = [1e10 * 10 ** (i / 2) for i in range(11)]
    return {
        "loss": now,
        "after": after,
        "change": 1 - after / now,
        "entropy": law.floor,
        "model_term": law.a / parameters**law.alpha,
        "data_term": term,
        "data_left": factor**-law.beta,
        "floor_share": 1 - term / now,
        "exponent": law.beta,
        "apparent": apparent,
        "dimension": 4 / law.beta,
        "apparent_dimension": 4 / apparent,
        "larger_model": loss(parameters * factor, tokens),
        "sweep": {
            "tokens": grid,
            "loss": [loss(parameters, d) for d in grid],
            "floor": [law.floor + law.a / parameters**law.alpha] * len(grid),
        },
    }


@chinchilla_data.figure
def draw(result, ax):
    from kernels import plot

    labels = {"loss": "loss", "floor": "floor"}
    plot.lines(ax, result["sweep"], xlog=True, labels=labels, x_label="tokens", y_label="loss in nats", highlight="loss", zero=False)
