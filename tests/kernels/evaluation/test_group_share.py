"""Oracle: the weighted mean put together again, and a count of single examples."""

import pytest

from kernels import KernelError
from kernels.library.evaluation.group_share import group_share


def test_the_groups_mix_to_the_overall_accuracy():
    result = group_share(overall=0.95, group=0.6, rest=0.98)
    share = result["share"]
    assert share * 0.6 + (1 - share) * 0.98 == pytest.approx(0.95)
    assert result["error_share"] == pytest.approx(share * 0.4 / 0.05)


@pytest.mark.oracle("group_share", "single examples, counted")
def test_an_eighth_counted():
    answers = [1] * 875 + [1] * 75 + [0] * 50  # of 1,000 the last 125 are the group, 75 right: 60 %, all together 95 %
    assert sum(answers) / 1000 == 0.95 and sum(answers[875:]) / 125 == 0.6
    assert group_share()["largest_share"] == pytest.approx(0.125) == group_share(rest=1.0)["share"]


def test_an_impossible_mix_is_refused():
    with pytest.raises(KernelError, match="overall"):
        group_share(overall=0.5, group=0.6)
