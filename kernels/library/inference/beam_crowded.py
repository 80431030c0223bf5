"""A beam of two that ends with a less likely sequence than greedy decoding: greedy's path is crowded out.

Three steps. A is the likelier first token, with one good continuation; B has two equally good ones. After two steps the beam keeps the two best of

    A A'    first_a then_a            B B', B B''    first_b then_b each

so that A A' goes where first_a then_a < first_b then_b, however well it would have gone on; greedy decoding never looked at B.
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel

Share = Annotated[float, Bound(low=0.001, high=1.0)]


@kernel(kind="formula", outputs=dict.fromkeys(("greedy", "beam", "best", "prefix_a", "prefix_b", "over_beam"), ""))
def beam_crowded(
    first_a: Share = 0.4,
    then_a: Share = 0.4,
    last_a: Share = 0.9,
    first_b: Share = 0.35,
    then_b: Annotated[float, Bound(low=0.001, high=0.5)] = 0.5,
    last_b: Share = 0.5,
):
    """Probabilities of the three-token sequences that greedy decoding and a beam of two return; `best` is the likeliest of the paths given.

    first_a, first_b: the two likeliest first tokens, A at least as likely as B; then_a: A's best second token; then_b: each of B's two;
    last_a, last_b: the best third one. prefix_a, prefix_b: the prefixes of two tokens. over_beam: greedy's over the beam's.
    """
    if first_b > first_a or first_a + first_b > 1 + 1e-9:
        raise KernelError("beam_crowded: A has to be the likelier first token, and both together at most 1")
    a, b = first_a * then_a, first_b * then_b
    greedy, other = a * last_a, b * last_b
    beam = other if b > a else max(greedy, other)
    return {"greedy": greedy, "beam": beam, "best": max(greedy, other), "prefix_a": a, "prefix_b": b, "over_beam": greedy / beam}
