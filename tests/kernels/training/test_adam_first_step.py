import pytest

from kernels import plot
from kernels.library.training.adam_first_step import adam_first_step

torch = pytest.importorskip("torch")


@pytest.mark.oracle("adam_first_step", "torch.optim.Adam")
@pytest.mark.parametrize("beta1, beta2, step", [(0.9, 0.999, 0), (0.9, 0.95, 0), (0.9, 0.999, 2000), (0.8, 0.95, 7)])
def test_torchs_adam_moves_as_far(beta1, beta2, step):
    weight = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = torch.optim.Adam([weight], lr=1.0, betas=(beta1, beta2), eps=0.0, foreach=False)
    optimizer.state[weight] = {"step": torch.tensor(float(step)), "exp_avg": torch.zeros_like(weight), "exp_avg_sq": torch.zeros_like(weight)}
    weight.grad = torch.tensor([3.0, -0.01, 500.0], dtype=torch.float64)
    optimizer.step()
    far = adam_first_step(beta1=beta1, beta2=beta2, step=step)["first"]
    assert weight.tolist() == pytest.approx([-far, far, -far])


def test_closed_forms():
    assert adam_first_step()["first"] == 1
    assert adam_first_step()["uncorrected"] == pytest.approx(10**0.5)
    assert adam_first_step(beta2=0.95, step=10**6)["first"] == pytest.approx(0.2**0.5)
    assert adam_first_step()["ratio"] == pytest.approx(19**0.5)


def test_the_figure():
    assert "count kept" in plot.draw(adam_first_step, adam_first_step()).alt
