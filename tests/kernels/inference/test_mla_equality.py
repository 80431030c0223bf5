import pytest

torch = pytest.importorskip("torch")

from kernels.library.inference import mla_equality as file
from kernels.library.inference.mla_equality import mla_equality


@pytest.mark.parametrize("seed", [0, 1])
def test_absorbing_is_exact_where_positions_stand_apart(seed):
    got = mla_equality(tokens=64, seed=seed)
    assert got["equal"] == 1 and got["error"] < 1e-13


@pytest.mark.parametrize("seed", [0, 1])
def test_a_rotation_in_between_is_not_absorbed(seed):
    got = mla_equality(rotation="between", tokens=64, seed=seed)
    assert got["equal"] == 0 and got["error"] > 0.1


def test_a_rotation_keeps_lengths_and_depends_on_the_distance_alone():
    torch.manual_seed(0)
    key, query = torch.randn(1, 8, dtype=torch.float64), torch.randn(8, dtype=torch.float64)
    same = key.expand(5, 8)
    assert torch.allclose(file.rotated(same).norm(dim=-1), same.norm(dim=-1))
    assert torch.allclose(file.rotated(same)[1:] @ query, file.rotated(same[1:]) @ query)  # the last token is one step back in both
    pair = torch.polar(torch.ones(1, dtype=torch.float64), torch.tensor([1.0], dtype=torch.float64))  # one step turns the first pair by one radian
    turned = torch.complex(key[0, 0], key[0, 4]) * pair
    assert torch.allclose(torch.view_as_real(turned)[0], file.rotated(key)[0, [0, 4]])


def test_the_random_state_is_left_alone():
    torch.manual_seed(5)
    mla_equality(tokens=4, heads=1, head_dim=4, latent=4, rope=2)
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(1))
