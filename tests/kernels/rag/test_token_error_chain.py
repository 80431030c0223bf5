import numpy as np
import pytest

from kernels import plot
from kernels.library.rag.token_error_chain import token_error_chain


@pytest.mark.oracle("token_error_chain", "the chain's matrix multiplied out")
@pytest.mark.parametrize("error, recovery, tokens", [(0.01, 0.1, 100), (0.2, 0.0, 7), (0.5, 0.5, 3), (0.05, 0.3, 40)])
def test_the_matrix_multiplied_out(error, recovery, tokens):
    state, clean = np.array([1.0, 0.0]), 1.0
    for _ in range(tokens):
        state, clean = state @ np.array([[1 - error, error], [recovery, 1 - recovery]]), clean * (1 - error)
    got = token_error_chain(error=error, recovery=recovery, tokens=tokens)
    assert got["off_course"] == pytest.approx(state[1]) and got["all_right"] == pytest.approx(clean)
    assert got["off_for_ever"] == pytest.approx(1 - clean)


def test_the_plateau():
    assert token_error_chain(tokens=10_000)["off_course"] == pytest.approx(token_error_chain()["plateau"])
    assert 0.99 ** token_error_chain()["half_life"] == pytest.approx(0.5)
    assert "recovers" in plot.draw(token_error_chain, token_error_chain()).alt
