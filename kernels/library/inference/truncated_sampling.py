"""Top-k, top-p and min-p on a vocabulary with a long tail, with the temperature before the cut or behind it.

    top-k   the k likeliest tokens
    top-p   the fewest likeliest tokens whose probabilities reach p                (Holtzman et al. 2020, arXiv 1904.09751, section 3.1)
    min-p   the tokens with at least min_p times the top token's probability       (Nguyen et al. 2024, arXiv 2407.01082)

The vocabulary is Zipf's, p_r proportional to r^-s at temperature 1 and to r^(-s/T) at T. Temperature first, as in Hugging Face's transformers and in
vLLM: the filter sees r^(-s/T). Temperature last, as in llama.cpp's default chain: the filter sees r^-s, and T acts on what is left.
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.inference._zipf import Zipf

TEMPERATURES = tuple(t / 20 for t in range(6, 41))


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("top", "nucleus", "nucleus_last", "nucleus_mass", "min_kept", "min_kept_last", "min_mass", "k_mass", "entropy"), ""),
        "sweep": Series("temperature", "token"),
    },
)
def truncated_sampling(
    temperature: Annotated[float, Bound(low=0.05, high=20)] = 1.0,
    exponent: Annotated[float, Bound(low=0.5, high=5.0)] = 1.1,
    vocab: Annotated[int, Bound(low=100, high=1_000_000)] = 50_000,
    top_k: Annotated[int, Bound(low=1, high=100)] = 50,
    top_p: Annotated[float, Bound(low=0.01, high=1.0)] = 0.9,
    min_p: Annotated[float, Bound(low=0.0, high=1.0)] = 0.1,
):
    """How many tokens each filter keeps of a Zipf vocabulary, and which share of the probability at that temperature they hold.

    nucleus, min_kept: tokens that top-p and min-p keep where the temperature comes first; with _last, where it comes last. _mass: probability, at
    the temperature, of what is kept (temperature first). top: the best token's probability. entropy in nats, before any cut. sweep: tokens in the
    nucleus.
    """
    plain, heated = Zipf(vocab, exponent), Zipf(vocab, exponent / temperature)
    first, last = heated.nucleus(top_p), plain.nucleus(top_p)
    return {
        "top": heated.share(1),
        "nucleus": first,
        "nucleus_last": last,
        "nucleus_mass": heated.share(first),
        "min_kept": heated.above(min_p),
        "min_kept_last": plain.above(min_p),
        "min_mass": heated.share(heated.above(min_p)),
        "k_mass": heated.share(top_k),
        "entropy": heated.entropy(vocab),
        "sweep": {
            "temperature": TEMPERATURES,
            "temperature first": [Zipf(vocab, exponent / t).nucleus(top_p) for t in TEMPERATURES],
            "temperature last": [last] * len(TEMPERATURES),
        },
    }


@truncated_sampling.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    p = result.parameters
    names = {"temperature first": "temperature\nfirst", "temperature last": "temperature\nlast"}
    plot.lines(ax, result["sweep"], ylog=True, labels=names, x_label="temperature", y_label=f"tokens that top-p {p['top_p']:g} keeps")
    return (
        f"Tokens in the nucleus of {p['top_p']:g} against temperature, Zipf exponent {p['exponent']:g}: applied last, the temperature leaves "
        f"{result['nucleus_last']:,} at any value; applied first, it takes the nucleus from {result['sweep'].values('temperature first')[0]:,.0f} to "
        f"{result['sweep'].values('temperature first')[-1]:,.0f}."
    )
