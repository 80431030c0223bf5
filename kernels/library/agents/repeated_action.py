"""An action tried again after its answer was lost: how often it is carried out.

An attempt is lost on the way there with u, and its answer on the way back with v; the caller tries again until it hears an answer, at most r + 1
times in all. An answer comes with 1 - f = (1 - u)(1 - v), so that

    attempts = (1 - f^(r + 1)) / (1 - f)        carried out = (1 - u) attempts        at least once = 1 - u^(r + 1)

A key that is the same in each attempt lets the receiver carry it out once only (Helland 2012, Idempotence Is Not a Medical Condition,
Communications of the ACM 55(5)).
"""

from typing import Annotated

from kernels import Bound, kernel


@kernel(
    kind="formula",
    outputs={
        "executions": "",
        "at_least_once": "",
        "extra": "",
        "more_than_once": "",
        "attempts": "",
        "unknown": "",
        "extra_count": "",
        "extra_paid": "USD",
    },
)
def repeated_action(
    lost_request: Annotated[float, Bound(low=0.0, high=0.9)] = 0.0,
    lost_answer: Annotated[float, Bound(low=0.0, high=0.9)] = 0.01,
    retries: Annotated[int, Bound(low=0, high=50)] = 3,
    actions: Annotated[int, Bound(low=1, high=1_000_000_000)] = 10_000,
    amount: Annotated[float, Bound("USD", low=0.0, high=1e6)] = 50.0,
):
    """How often an action is carried out where the caller tries again after silence, with no key that makes repeats harmless.

    executions: on average, of one action. extra: beyond the first. more_than_once: the share of actions carried out twice or more. unknown: no
    answer came to any attempt. extra_count, extra_paid: over all actions, each of `amount`.
    """
    heard = (1 - lost_request) * (1 - lost_answer)
    silent = 1 - heard
    tries = retries + 1
    attempts = sum(silent**k for k in range(tries))
    executions = (1 - lost_request) * attempts
    none = lost_request**tries
    once = sum(
        lost_request ** (i - 1) * (1 - lost_request) * ((1 - lost_answer) + lost_answer * lost_request ** (tries - i)) for i in range(1, tries + 1)
    )
    extra = max(0.0, executions - (1 - none))
    return {
        "executions": executions,
        "at_least_once": 1 - none,
        "extra": extra,
        "more_than_once": max(0.0, 1 - none - once),
        "attempts": attempts,
        "unknown": silent**tries,
        "extra_count": actions * extra,
        "extra_paid": actions * extra * amount,
    }
