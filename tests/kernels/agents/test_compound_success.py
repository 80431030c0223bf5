import numpy
import pytest

from kernels import plot
from kernels.library.agents.compound_success import compound_success


@pytest.mark.oracle("compound_success", "the absorbing chain's matrix, multiplied step by step")
@pytest.mark.parametrize(("p", "steps"), [(0.95, 5), (0.95, 10), (0.95, 20), (0.8, 3), (0.999, 50)])
def test_a_chain_of_steps(p, steps):
    """States 0..n, and one where all is lost, each step a move on or down."""
    move = numpy.zeros((steps + 2, steps + 2))
    for k in range(steps):
        move[k, k + 1], move[k, -1] = p, 1 - p
    move[steps, steps] = move[-1, -1] = 1
    ends = numpy.linalg.matrix_power(move, steps)[0]
    got = compound_success(p=p, steps=steps)
    assert got["success"] == pytest.approx(ends[steps])
    assert got["failure"] == pytest.approx(ends[-1])
    visits = numpy.linalg.inv(numpy.eye(2) - numpy.array([[p, 0], [0, 0]]))[0, 0]  # of a step without end: right steps, and the wrong one
    assert got["until_error"] == pytest.approx(visits - 1)


def test_what_each_step_needs():
    got = compound_success(target=0.9, steps=10)
    product = 1.0
    for _ in range(10):
        product *= got["needed"]
    assert product == pytest.approx(0.9)
    assert got["union_bound"] == pytest.approx(0.99) and got["union_bound"] > got["needed"]
    assert compound_success(p=0.5)["even_odds"] == pytest.approx(1)
    assert 0.95 ** compound_success(p=0.95, target=0.5)["of_steps"] == pytest.approx(0.5)


def test_the_curves_and_the_figure():
    curve = compound_success()["sweep"]
    assert curve.values("95 %")[9] == pytest.approx(compound_success(steps=10)["success"])
    for name, p in (("90 %", 0.9), ("99 %", 0.99), ("99.9 %", 0.999)):
        assert curve.values(name)[-1] == pytest.approx(p**50)
    assert "steps that must all be right" in plot.draw(compound_success, compound_success()).alt
