import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.broadcast_loss import accepts_indices, broadcast_loss


def test_cross_entropy_wants_one_index_a_row():
    assert accepts_indices((4, 3), (4,)) and not accepts_indices((4, 3), (4, 3))
    assert broadcast_loss()["class_indices_like_logits"] == 0


@pytest.mark.parametrize("n, seed", [(64, 0), (64, 1), (100, 2)])
def test_a_perfect_prediction_costs_twice_the_variance(n, seed):
    got = broadcast_loss(n=n, seed=seed)
    assert got["matched"] == 0 and got["elements"] == n * n
    assert got["broadcast"] == pytest.approx(2 * got["variance"])


def test_the_bug_teaches_the_mean():
    got = broadcast_loss()
    assert got["r2_broadcast"] == pytest.approx(0, abs=1e-9) and got["r2_matched"] > 0.99
    assert got["trained_broadcast"] == pytest.approx(got["variance"])


def test_torch_does_broadcast():
    with pytest.warns(UserWarning, match="target size"):
        got = torch.nn.functional.mse_loss(torch.tensor([[0.0], [2.0]]), torch.tensor([0.0, 2.0]))
    assert got == 2  # 2 var
