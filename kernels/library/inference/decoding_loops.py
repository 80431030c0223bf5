"""Decoding rules on a small Markov chain: how soon greedy goes round in circles, and what the others visit.

Each token has a row of logits for the next one, independent and normal with standard deviation `spread`. Greedy decoding follows a fixed map from
token to token, so the first token that comes back closes a loop for good. Such a map is uniformly random, and visits

    E[distinct tokens] = sum_(k < n) prod_(j <= k) (1 - j/n)  ~  sqrt(pi n / 2)

tokens before that (Flajolet and Odlyzko 1990, "Random mapping statistics"). A model with a long context is no such chain: its state, the whole
text, need not come back.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

SHOWN = (1, 2, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100)
STEPS = 100
RULES = ("greedy", "penalised", "nucleus", "sampling")


@kernel(
    kind="simulation",
    outputs={**dict.fromkeys((*RULES, "loop", "entered", "greedy_probability", "sampling_probability"), ""), "sweep": Series("tokens", "")},
    draws=16,
)
def decoding_loops(
    vocab: Annotated[int, Bound(low=20, high=1000)] = 200,
    spread: Annotated[float, Bound(low=0.5, high=4.0), Free(1.5, 3.0)] = 2.0,
    chains: Annotated[int, Bound(low=1, high=64)] = 32,
    top_p: Annotated[float, Bound(low=0.05, high=1.0)] = 0.9,
    penalty: Annotated[float, Bound(low=1.0, high=5.0)] = 1.2,
    seed: int = 0,
):
    """Different tokens among the first 100 of a first-order Markov chain, by decoding rule, averaged over `chains` chains.

    spread: standard deviation of the logits, free, since it says how sure the toy is of its next token. penalised: greedy with CTRL's repetition
    penalty on tokens seen before. nucleus: sampling from top_p at temperature 1; sampling: from all. loop: length of greedy's loop; entered: steps
    before it. probability: of a chosen token, on average.
    """
    import torch

    numbers = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(chains, vocab, vocab, generator=numbers)
    probabilities = logits.softmax(-1)
    each = torch.arange(chains)
    paths, chosen = {}, {}
    for rule in RULES:
        at = torch.zeros(chains, dtype=torch.long)
        path, likely = [at], []
        seen = torch.zeros(chains, vocab, dtype=torch.bool)
        for _ in range(STEPS - 1):
            seen[each, at] = True
            row, p = logits[each, at], probabilities[each, at]
            if rule == "greedy":
                at = row.argmax(-1)
            elif rule == "penalised":
                at = torch.where(seen, torch.where(row > 0, row / penalty, row * penalty), row).argmax(-1)
            else:
                at = torch.multinomial(cut(p, top_p) if rule == "nucleus" else p, 1, generator=numbers)[:, 0]
            path.append(at)
            likely.append(p[each, at])
        paths[rule], chosen[rule] = torch.stack(path, 1), torch.stack(likely, 1).mean().item()
    entered, loop = zip(*(circle(path) for path in follow(logits.argmax(-1))))
    return {
        **{rule: distinct(path, STEPS) for rule, path in paths.items()},
        "loop": sum(loop) / chains,
        "entered": sum(entered) / chains,
        "greedy_probability": chosen["greedy"],
        "sampling_probability": chosen["sampling"],
        "sweep": {"tokens": SHOWN, **{rule: [distinct(path, n) for n in SHOWN] for rule, path in paths.items()}},
    }


def cut(p, top_p: float):
    """What top-p leaves of each row: the likeliest tokens before which less than top_p has been gathered."""
    order = p.sort(-1, descending=True)
    kept = order.values * (order.values.cumsum(-1) - order.values < top_p)
    return kept.new_zeros(p.shape).scatter(-1, order.indices, kept)


def distinct(paths, tokens: int) -> float:
    """Different tokens among the first of each path, on average."""
    return sum(len(set(path[:tokens])) for path in paths.tolist()) / len(paths)


def follow(successors) -> list[list[int]]:
    """Each map's path from token 0, up to the first token that comes back, included."""
    found = []
    for row in successors.tolist():
        path = [0]
        while path[-1] not in path[:-1]:
            path.append(row[path[-1]])
        found.append(path)
    return found


def circle(path: list[int]) -> tuple[int, int]:
    """Tokens before the loop, and in it."""
    start = path.index(path[-1])
    return start, len(path) - 1 - start


@decoding_loops.invariant
def greedy_sees_no_more_than_its_tail_and_loop(result) -> bool:
    """What greedy visits in 100 steps is no more than the tokens before its loop and in it."""
    return result["greedy"] <= result["entered"] + result["loop"] + 1e-9


@decoding_loops.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 230)
    p = result.parameters
    names = {"greedy": "greedy", "penalised": f"greedy,\npenalty {p['penalty']:g}", "nucleus": f"top-p {p['top_p']:g}", "sampling": "sampling"}
    plot.lines(ax, result["sweep"], labels=names, x_label="tokens written", y_label="different tokens", highlight="greedy")
    return (
        f"Different tokens among those written, in Markov chains of {p['vocab']} tokens: after {STEPS}, greedy decoding has used "
        f"{result['greedy']:.0f}, with a repetition penalty "
        f"of {p['penalty']:g} {result['penalised']:.0f}, top-p {p['top_p']:g} {result['nucleus']:.0f}, plain sampling {result['sampling']:.0f}."
    )
