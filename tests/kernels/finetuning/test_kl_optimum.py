"""Oracles: a search over all policies, and the closed form beta ln Z."""

import math

import pytest

from kernels import KernelError
from kernels.library.finetuning.kl_optimum import kl, kl_optimum

CASES = [(0.1, 1.0, 0.5), (0.3, 2.0, 1.0), (0.01, 1.0, 0.1)]


@pytest.mark.oracle("kl_optimum", "a search over all policies")
@pytest.mark.parametrize(("reference", "gap", "beta"), CASES)
def test_no_other_policy_has_a_higher_objective(reference, gap, beta):
    result = kl_optimum(reference=reference, gap=gap, beta=beta)
    search = [(gap * p - beta * kl(p, reference), p) for p in (i / 20_000 for i in range(1, 20_000))]
    best, at = max(search)
    assert result["objective"] == pytest.approx(best, abs=1e-6)
    assert result["share"] == pytest.approx(at, abs=1e-4)
    assert result["objective_greedy"] == pytest.approx(gap - beta * kl(1.0, reference))


@pytest.mark.parametrize(("reference", "gap", "beta"), CASES)
def test_the_optimum_is_beta_log_z_and_implies_the_reward(reference, gap, beta):
    result = kl_optimum(reference=reference, gap=gap, beta=beta)
    assert result["objective"] == pytest.approx(beta * math.log(reference * math.exp(gap / beta) + 1 - reference))
    assert result["implied_gap"] == pytest.approx(gap)


def test_what_overflows_is_refused():
    with pytest.raises(KernelError, match="overflows"):
        kl_optimum(gap=700.0, beta=1.0)
