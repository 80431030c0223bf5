import pytest

from kernels import plot
from kernels.library.agents.agent_tokens import agent_tokens


def played(fixed, step, turns, price, window=None):
    """Prompts as lists of marked tokens; a cache that holds every prompt so far serves the longest common beginning."""
    seen, total, bill = [], 0, 0.0
    for turn in range(turns):
        history = list(range(turn))
        kept = history if window is None else history[len(history) - min(window, len(history)) :]
        prompt = [("fixed", i) for i in range(fixed)] + [(k, i) for k in kept for i in range(step)]
        hit = 0
        for old in seen:
            same = 0
            for a, b in zip(old, prompt):
                if a != b:
                    break
                same += 1
            hit = max(hit, same)
        seen.append(prompt)
        total += len(prompt)
        bill += len(prompt) - hit + price * hit
    return total, bill


@pytest.mark.oracle("agent_tokens", "prompts written out token by token, and a cache that serves the longest common prefix")
@pytest.mark.parametrize(("fixed", "step", "turns", "window"), [(7, 5, 9, 3), (3, 4, 6, 10), (11, 2, 12, 1), (5, 3, 1, 2)])
def test_prompts_written_out(fixed, step, turns, window):
    got = agent_tokens(fixed=fixed, step=step, turns=turns, cached_price=0.25, window=window)
    total, bill = played(fixed, step, turns, 0.25)
    assert got["total"] == total and got["billed"] == pytest.approx(bill)
    total, bill = played(fixed, step, turns, 0.25, window)
    assert got["window_total"] == total and got["window_billed"] == pytest.approx(bill)
    cached = agent_tokens(fixed=fixed, step=step, turns=turns, cached_price=0.25)
    assert got["window_over_cached"] == pytest.approx(bill / cached["billed"]) and got["saved"] == pytest.approx(1 - got["billed"] / got["total"])
    assert got["from_cache"] + got["new"] == got["total"] and got["history"] + turns * fixed == got["total"]


def test_ten_turns_of_a_thousand():
    """1,000 + 2,000 + .. + 10,000."""
    assert agent_tokens(fixed=1000, step=1000, turns=10)["total"] == 55_000
    assert agent_tokens(fixed=1000, step=1000, turns=10)["last"] == 10_000


def test_the_curve_and_the_figure():
    got = agent_tokens()
    assert got["sweep"].values("no cache")[39] == got["total"]
    assert got["sweep"].values("window, cached")[39] == pytest.approx(got["window_billed"])
    assert "turns" in plot.draw(agent_tokens, got).alt
