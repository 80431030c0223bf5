"""What a transformer's FFN costs at a given expansion, with two matrices or, gated, with three.

    plain     W_down act(x W_up)                        2 m d^2 parameters, 8 d^2 at m = 4
    gated     W_down (act(x W_gate) * x W_up)           3 m d^2, as many as plain at 4 where m = 8/3

(Shazeer 2020, GLU Variants Improve Transformer, arXiv 2002.05202, section 2). Llama takes floor(8/3 d), multiplies it by a factor of the model
and rounds up to a multiple (`FeedForward` in its released code; the factor 1.3 in Llama-2-70B and Llama-3).
"""

from typing import Annotated

from kernels import Bound, Series, kernel

EXPANSIONS = (1.0, 1.5, 2.0, 2.5, 8 / 3, 3.0, 3.5, 4.0)


@kernel(
    kind="formula",
    outputs={
        "ideal": "",
        "hidden": "",
        "ratio": "",
        "parameters": "",
        "flops": "FLOP/token",
        "plain": "",
        "over_plain": "",
        "block_over_plain": "",
        "parity": "",
        "sweep": Series("expansion", ""),
    },
)
def ffn_budget(
    d_model: Annotated[int, Bound(low=1)] = 4096,
    expansion: Annotated[float, Bound(low=0.01, high=100.0)] = 8 / 3,
    gated: bool = True,
    multiple_of: Annotated[int, Bound(low=1)] = 1,
    multiplier: Annotated[float, Bound(low=0.01, high=100.0)] = 1.0,
):
    """Inner width, parameters and forward FLOPs of one FFN without biases, against a plain one four times as wide.

    ideal: expansion times d_model; hidden: its whole part times `multiplier`, rounded up; ratio: hidden / d_model. plain: 8 d_model^2.
    block_over_plain: with attention's 4 d_model^2 counted in both. parity: the expansion at which this kind costs as much as plain at 4.
    """
    matrices = 3 if gated else 2
    ideal = expansion * d_model
    hidden = -(-int(multiplier * int(ideal + 1e-9)) // multiple_of) * multiple_of
    parameters = matrices * hidden * d_model
    plain = 8 * d_model**2
    return {
        "ideal": ideal,
        "hidden": hidden,
        "ratio": hidden / d_model,
        "parameters": parameters,
        "flops": 2 * parameters,
        "plain": plain,
        "over_plain": parameters / plain,
        "block_over_plain": (parameters + 4 * d_model**2) / (plain + 4 * d_model**2),
        "parity": 8 / matrices,
        "sweep": {
            "expansion": EXPANSIONS,
            "SwiGLU": [3 * m * d_model**2 for m in EXPANSIONS],
            "ReLU": [2 * m * d_model**2 for m in EXPANSIONS],
        },
    }


@ffn_budget.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], x_label="inner width / model width", y_label="FFN parameters")
    plot.hline(ax, result["plain"], f"ReLU at 4: {plot.show(result['plain'], '')}")
    plot.mark(ax, 8 / 3, result["plain"], "8/3", where="below right")
