import numpy
import pytest

from kernels import plot
from kernels.library.agents.recovery_chain import recovery_chain


@pytest.mark.oracle("recovery_chain", "numpy's powers of the two-state matrix")
@pytest.mark.parametrize(("slip", "recover", "steps"), [(0.05, 0.3, 50), (0.2, 0.1, 7), (0.6, 0.9, 3), (0.01, 1.0, 100)])
def test_powers_of_the_matrix(slip, recover, steps):
    move = numpy.array([[1 - slip, slip], [recover, 1 - recover]])
    got = recovery_chain(slip=slip, recover=recover, steps=steps)
    state, off = numpy.array([1.0, 0.0]), 0.0
    for _ in range(steps):
        state = state @ move
        off += state[1]
    assert got["on"] == pytest.approx(state[0]) and got["off_steps"] == pytest.approx(off)
    assert got["level"] == pytest.approx(numpy.linalg.matrix_power(move, 2000)[0, 0])
    assert got["off_steps_without"] == pytest.approx(sum(1 - (1 - slip) ** k for k in range(1, steps + 1)))


def test_the_curve_and_the_figure():
    got = recovery_chain()
    assert got["sweep"].values("finds back")[25] == pytest.approx(got["on"]) and got["sweep"].values("never back")[25] == pytest.approx(
        got["without"]
    )
    assert "finds back" in plot.draw(recovery_chain, got).alt
