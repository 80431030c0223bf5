"""Two steps of decoding on a tree of two branches: what greedy ends with, and what a beam of two does.

greedy follows the likelier first token: p(A) p(A's best)       a beam of two keeps both: the larger of p(A) p(A's best) and p(B) p(B's best)
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel

Share = Annotated[float, Bound(low=0.001, high=1.0)]


@kernel(kind="formula", outputs=dict.fromkeys(("greedy", "beam", "gain", "other_most"), ""))
def beam_paths(first_a: Share = 0.5, then_a: Share = 0.4, first_b: Share = 0.4, then_b: Share = 0.9):
    """Probabilities of the sequences of two tokens that greedy decoding and a beam of two return.

    first_a, first_b: the two likeliest first tokens, A at least as likely as B; then_a, then_b: the likeliest second token behind each. other_most:
    what any sequence that begins otherwise has at most.
    """
    if first_b > first_a or first_a + first_b > 1 + 1e-9:
        raise KernelError("beam_paths: A has to be the likelier first token, and both together at most 1")
    greedy = first_a * then_a
    best = max(greedy, first_b * then_b)
    return {"greedy": greedy, "beam": best, "gain": best / greedy, "other_most": max(0.0, 1 - first_a - first_b)}


@beam_paths.figure
def draw(result, ax):
    from kernels import plot

    p = result.parameters
    plot.height(ax, 170)
    ax.set_axis_off()
    ax.set_xlim(0, 330)
    ax.set_ylim(170, 0)
    ax.set_position([0, 0, 1, 1])
    vars(ax.figure)["exact"] = True
    wins = p["first_b"] * p["then_b"] > result["greedy"]
    start, ends = (14, 85), []
    for name, y, first, then in (("A", 40, p["first_a"], p["then_a"]), ("B", 130, p["first_b"], p["then_b"])):
        taken = (name == "B") == wins
        color = plot.ACCENT if taken else plot.AMBER if name == "A" else plot.MUTED
        for (x0, y0), (x1, y1), share in ((start, (104, y), first), ((128, y), (212, y), then)):
            ax.plot([x0, x1], [y0, y1], color=color, linewidth=2.4 if taken else 2.0, linestyle="-" if taken else plot.DASHES[1])
            up = -7 if y < 85 or x0 > 100 else 19
            ax.text((x0 + x1) / 2, (y0 + y1) / 2 + up, plot.show(share, ""), color=plot.INK, size=plot.TEXT, ha="center")
        ax.text(116, y + 5, name, color=color, size=15, weight="bold", ha="center")
        ends.append((y, first * then, color, "beam of two" if taken and wins else "greedy" if name == "A" else ""))
    ax.plot([start[0]], [start[1]], "o", color=plot.INK, markersize=8)
    for y, product, color, who in ends:
        ax.text(220, y + (0 if who else 5), plot.show(product, ""), color=color, size=15, weight="bold")
        if who:
            ax.text(220, y + 17, who, color=color, size=plot.SMALL)
    return (
        f"A tree of two steps. First A with {p['first_a']:g} or B with {p['first_b']:g}; behind A the best has {p['then_a']:g}, "
        f"behind B {p['then_b']:g}. Greedy takes A and ends with "
        f"{result['greedy']:.3g}; a beam of two ends with {result['beam']:.3g}."
    )
