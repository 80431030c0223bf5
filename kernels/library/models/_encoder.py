"""A pass of a BERT-like encoder over a whole text: four projections, an MLP four times as wide, and attention that looks both ways.

    FLOP = 2 * 12 L d^2 T  +  4 L T^2 d

(Kaplan et al. 2020, arXiv 2001.08361, section 2.1.) Embeddings, norms, pooling and a head are left out.
"""


def encoded(layers: int, width: int, tokens: int) -> int:
    """FLOP of a text of `tokens` through `layers` blocks of `width`."""
    return 24 * layers * width**2 * tokens + 4 * layers * tokens**2 * width
