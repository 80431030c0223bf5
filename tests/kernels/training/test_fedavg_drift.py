import pytest

from kernels import KernelError, plot
from kernels.library.training.fedavg_drift import fedavg_drift


@pytest.mark.oracle("fedavg_drift", "FedAvg's rounds played out step by step")
@pytest.mark.parametrize("steps", [1, 3, 10, 100])
def test_rounds_played_out_settle_there(steps):
    x = 0.0
    for _ in range(2000):
        ends = []
        for curvature, optimum in ((1, 1), (10, -1)):
            own = x
            for _ in range(steps):
                own -= 0.05 * curvature * (own - optimum)
            ends.append(own)
        x = 0.3 * ends[0] + 0.7 * ends[1]
    assert fedavg_drift(share_a=0.3, local_steps=steps)["fixed_point"] == pytest.approx(x)


def test_limits():
    one = fedavg_drift(local_steps=1)
    assert one["distance"] == pytest.approx(0) and one["optimum"] == pytest.approx(-9 / 11)
    assert fedavg_drift(local_steps=10000)["fixed_point"] == pytest.approx(0)
    assert fedavg_drift(optimum_b=1.0)["distance"] == pytest.approx(0)  # clients that agree do not drift
    assert fedavg_drift(curvature_b=1.0)["distance"] == pytest.approx(0)  # nor do clients of one curvature
    assert fedavg_drift()["scaffold_distance"] < 1e-9
    with pytest.raises(KernelError):
        fedavg_drift(lr=0.2)


def test_the_figure():
    assert "-0.427" in plot.draw(fedavg_drift, fedavg_drift()).alt.replace("−", "-")
