import pytest

from kernels.library.transformers.head_mixtures import head_mixtures


@pytest.mark.parametrize("heads, places", [(1, 2), (1, 5), (2, 5), (3, 3), (4, 2)])
@pytest.mark.oracle("head_mixtures", "least squares on drawn inputs, for random weights of the heads")
def test_the_share_is_that_of_least_squares(heads, places):
    torch = pytest.importorskip("torch")
    random = torch.Generator().manual_seed(heads * 10 + places)
    weights = torch.softmax(torch.randn(heads, places, generator=random, dtype=torch.float64), 1)
    explained = 0.0
    for part in range(places):  # part i is wanted from position i, and mixed with the same part of the other positions
        inputs = torch.randn(20_000, places, generator=random, dtype=torch.float64)
        mixtures, wanted = inputs @ weights.T, inputs[:, part]
        fit = mixtures @ torch.linalg.lstsq(mixtures, wanted[:, None], driver="gelsd").solution
        explained += 1 - ((wanted - fit[:, 0]).square().mean() / wanted.square().mean()).item()
    assert explained / places == pytest.approx(head_mixtures(heads=heads, places=places)["explained"], abs=0.02)


def test_what_is_lost_and_the_width_of_a_head():
    got = head_mixtures(heads=8, places=16, d_model=512)
    assert got["lost"] == 0.5 and got["head_dim"] == 64 and head_mixtures(heads=8, places=4)["lost"] == 0
