import itertools

import pytest

from kernels.library.agents.repeated_action import repeated_action


@pytest.mark.oracle("repeated_action", "every course of the attempts, listed with its chance")
@pytest.mark.parametrize(("u", "v", "retries"), [(0.0, 0.01, 3), (0.2, 0.3, 2), (0.5, 0.1, 4), (0.1, 0.0, 3)])
def test_every_course(u, v, retries):
    """Each attempt is lost on the way, done and not heard of, or done and heard of; the third ends it."""
    done = more = attempts = unknown = some = 0.0
    for course in itertools.product(("lost", "unheard", "heard"), repeat=retries + 1):
        chance, times, tried = 1.0, 0, 0
        for what in course:
            chance *= {"lost": u, "unheard": (1 - u) * v, "heard": (1 - u) * (1 - v)}[what]
        for what in course:
            tried += 1
            times += what != "lost"
            if what == "heard":
                break
        done += chance * times
        more += chance * (times > 1)
        some += chance * (times > 0)
        attempts += chance * tried
        unknown += chance * ("heard" not in course)
    got = repeated_action(lost_request=u, lost_answer=v, retries=retries, actions=100, amount=2.0)
    assert got["executions"] == pytest.approx(done) and got["more_than_once"] == pytest.approx(more, abs=1e-12)
    assert got["at_least_once"] == pytest.approx(some) and got["attempts"] == pytest.approx(attempts) and got["unknown"] == pytest.approx(unknown)
    assert got["extra_paid"] == pytest.approx(200 * (done - some), abs=1e-9)


def test_no_retry_never_repeats():
    assert repeated_action(retries=0, lost_request=0.3, lost_answer=0.3)["extra"] == 0
