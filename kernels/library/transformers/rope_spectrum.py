"""The wavelengths of rotary positions, and how position interpolation and NTK scaling stretch them.

Pair i of a head of d channels turns by base^(-2i/d) a token, so its wavelength is 2 pi base^(2i/d) tokens (Su et al. 2021, RoFormer,
arXiv 2104.09864, section 3.2). For a context s times longer

    position interpolation   every wavelength times s                          (Chen et al. 2023, arXiv 2306.15595)
    NTK-aware scaling        base s^(d/(d-2)): the slowest pair's times s, the fastest as it was      (Peng et al. 2023, YaRN,
                             arXiv 2309.00071, section 3.1)
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "pairs": "",
        "shortest": "token",
        "longest": "token",
        "unfinished": "",
        "unfinished_share": "",
        "factor": "",
        "ntk_base": "",
        "fastest_step": "",
        "interpolated_step": "",
        "sweep": Series("pair", "token"),
    },
)
def rope_spectrum(
    head_dim: Annotated[int, Bound(low=4, high=4096)] = 128,
    base: Annotated[float, Bound(low=1.0)] = 10_000.0,
    trained: Annotated[int, Bound("token", low=1)] = 4096,
    wanted: Annotated[int, Bound("token", low=1)] = 32768,
):
    """Wavelengths in tokens, pairs that never finish a turn in training, and what it takes to reach `wanted` tokens.

    unfinished: pairs whose wavelength is above `trained`. fastest_step, interpolated_step: degrees that the fastest pair turns between
    neighbours, before and after position interpolation. sweep: wavelength by pair, as trained, interpolated, and with NTK's base.
    """
    if head_dim % 2:
        raise KernelError(f"rope_spectrum: head_dim is {head_dim}, but must be even: rotary positions turn pairs of channels")
    pairs, factor = head_dim // 2, wanted / trained
    ntk_base = base * factor ** (head_dim / (head_dim - 2))
    waves = wavelengths(head_dim, base)
    unfinished = sum(wave > trained for wave in waves)
    return {
        "pairs": pairs,
        "shortest": waves[0],
        "longest": waves[-1],
        "unfinished": unfinished,
        "unfinished_share": unfinished / pairs,
        "factor": factor,
        "ntk_base": ntk_base,
        "fastest_step": math.degrees(1.0),
        "interpolated_step": math.degrees(1.0 / factor),
        "sweep": {
            "pair": list(range(1, pairs + 1)),
            "RoPE": waves,
            "interpolated": [wave * factor for wave in waves],
            "NTK": wavelengths(head_dim, ntk_base),
        },
    }


def wavelengths(head_dim: int, base: float) -> list[float]:
    return [2 * math.pi * base ** (2 * i / head_dim) for i in range(head_dim // 2)]


@rope_spectrum.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], ylog=True, x_label="pair of channels", y_label="tokens for a full turn")
    plot.hline(ax, result.parameters["trained"], f"trained on {result.parameters['trained']:,}")
