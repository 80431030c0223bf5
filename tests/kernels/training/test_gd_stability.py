import pytest

from kernels.library.training.gd_stability import gd_stability


@pytest.mark.oracle("gd_stability", "torch.optim.SGD below and above the limit")
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_torch_sgd_stays_below_the_limit_and_leaves_above(momentum):
    torch = pytest.importorskip("torch")
    limit = gd_stability(momentum=momentum)["limit"]
    assert limit == pytest.approx(2 * (1 + momentum) / 20)
    for share, grows in ((0.97, False), (1.03, True)):
        x = torch.nn.Parameter(torch.ones((), dtype=torch.float64))
        optimizer = torch.optim.SGD([x], lr=share * limit, momentum=momentum)
        path = []
        for _ in range(300):
            optimizer.zero_grad()
            (10 * x * x).backward()
            path.append(x.item() ** 2)
            optimizer.step()
        assert (path[-1] > 1) is grows
        got = gd_stability(lr=share * limit, momentum=momentum)
        step = torch.tensor([[1 + momentum - 20 * share * limit, -momentum], [1.0, 0.0]], dtype=torch.float64)  # (x, x before) to the next
        assert got["factor"] == pytest.approx(torch.linalg.eigvals(step).abs().max().item(), rel=1e-9)
        assert (got["factor"] > 1) is grows
        if momentum == 0:
            assert path[:21] == pytest.approx([got["factor"] ** (2 * k) for k in range(21)], rel=1e-9)


def test_the_factor():
    assert gd_stability(lr=0.06)["factor"] == pytest.approx(0.2)
    got = gd_stability(lr=0.12)
    assert got["factor"] == pytest.approx(1.4) and got["of_limit"] == pytest.approx(1.2) and got["diverges"] == 1
