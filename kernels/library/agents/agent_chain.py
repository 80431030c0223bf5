"""A task of n steps, each checked and tried again: an absorbing Markov chain.

One attempt at a step ends in one of three ways, by its success p, the checker's recall d (wrong results that it flags) and its false alarms f:

    let on, right   a = p (1 - f)          let on, wrong   b = (1 - p)(1 - d)          flagged   c = 1 - a - b

With r retries a step has A = r + 1 attempts, so that of the tasks that reach it a share G a goes on rightly, G b goes on wrongly, c^A stops,
with G = (1 - c^A) / (1 - c) attempts on average. A wrong step that was let on stays wrong, and later steps run all the same:

    success = (G a)^n        silently wrong = (G (a + b))^n - success        stopped = 1 - (G (a + b))^n
    attempts = G (1 + x + .. + x^(n - 1)),  x = G (a + b)

What the chain's fundamental matrix (I - Q)^-1 gives as well (Kemeny and Snell 1960, Finite Markov Chains, section 3.2). Attempts and steps are
independent.
"""

from typing import Annotated

from kernels import Bound, Free, kernel


@kernel(
    kind="formula",
    outputs={
        "success": "",
        "silent": "",
        "stopped": "",
        "finished": "",
        "right_of_finished": "",
        "attempts": "",
        "step_right": "",
        "step_silent": "",
        "unchecked": "",
        "unchecked_silent": "",
        "per_success": "",
        "unchecked_per_success": "",
    },
)
def agent_chain(
    p: Annotated[float, Bound(low=0.05, high=0.999999)] = 0.95,
    steps: Annotated[int, Bound(low=1, high=100)] = 10,
    recall: Annotated[float, Bound(low=0.0, high=1.0), Free(0.0, 1.0)] = 0.8,
    false_alarm: Annotated[float, Bound(low=0.0, high=0.9)] = 0.05,
    retries: Annotated[int, Bound(low=0, high=20)] = 1,
):
    """How a task of checked steps ends: right, silently wrong, or stopped, and how many attempts it takes.

    p: an attempt's chance to be right. recall: wrong results that the checker flags, free from none to all, since nobody knows it before
    measuring. false_alarm: right ones that it flags. retries: after a flag; when they are used up, the task stops and says so. right_of_finished:
    of the tasks that do not stop. step_right, step_silent: of one step. unchecked: success without checker. per_success: attempts for each task
    that succeeds; unchecked_per_success: likewise without checker, all steps taken.
    """
    a, b = p * (1 - false_alarm), (1 - p) * (1 - recall)
    c = 1 - a - b
    mean = sum(c**k for k in range(retries + 1))
    right, wrong = mean * a, mean * b
    on = right + wrong
    success, finished = right**steps, on**steps
    attempts = mean * sum(on**k for k in range(steps))
    return {
        "success": success,
        "silent": finished - success,
        "stopped": 1 - finished,
        "finished": finished,
        "right_of_finished": (a / (a + b)) ** steps,
        "attempts": attempts,
        "step_right": right,
        "step_silent": wrong,
        "unchecked": p**steps,
        "unchecked_silent": 1 - p**steps,
        "per_success": attempts / success,
        "unchecked_per_success": steps / p**steps,
    }


@agent_chain.figure
def draw(result, ax):
    from kernels import plot

    rows = {
        "no check": {"right": result["unchecked"], "silently wrong": result["unchecked_silent"]},
        "checked": {"right": result["success"], "silently wrong": result["silent"], "stopped": result["stopped"]},
    }
    fills = {"right": plot.MINT, "silently wrong": plot.ROSE, "stopped": plot.STONE}
    plot.stacked_bars(ax, rows, "percent", fills=fills)
