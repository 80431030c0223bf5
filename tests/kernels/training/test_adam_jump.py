import math

import pytest

from kernels.library.training.adam_jump import adam_jump


@pytest.mark.oracle("adam_jump", "torch.optim.Adam")
@pytest.mark.parametrize("beta2, jump", [(0.999, 100.0), (0.95, 10.0)])
def test_against_torch_adam(beta2, jump):
    torch = pytest.importorskip("torch")
    x = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
    optimizer = torch.optim.Adam([x], lr=1.0, betas=(0.9, beta2), eps=0.0, foreach=False)
    x.grad = torch.zeros_like(x)
    optimizer.step()
    optimizer.state[x]["step"].fill_(1e6)  # bias correction over, m = 0, v = 1
    optimizer.state[x]["exp_avg"].zero_()
    optimizer.state[x]["exp_avg_sq"].fill_(1.0)
    x.grad.fill_(jump)
    with torch.no_grad():
        x.zero_()
    steps = []
    for _ in range(60):
        before = x.item()
        optimizer.step()
        steps.append(before - x.item())
    got = adam_jump(jump=jump, beta2=beta2)
    assert [p.value for p in got["sweep"].lines["given"]] == pytest.approx(steps, rel=1e-6)
    assert got["peak"] == pytest.approx(max(steps)) and got["peak_step"] == steps.index(max(steps)) + 1


def test_limits():
    got = adam_jump(jump=1e6)
    assert got["first"] == pytest.approx(0.1 / math.sqrt(0.001), rel=1e-3) == pytest.approx(got["first_at_most"], rel=1e-3)
    assert adam_jump(jump=0.01, beta2=0.5)["peak"] <= 1.001


def test_the_figure():
    from kernels import plot

    assert "0.95" in plot.draw(adam_jump, adam_jump()).alt
