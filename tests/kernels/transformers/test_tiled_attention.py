import pytest

torch = pytest.importorskip("torch")

from kernels.library.transformers.tiled_attention import plain, tiled, tiled_attention


@pytest.mark.parametrize("tile", [1, 7, 64, 100, 512])
def test_tiles_give_torch_s_attention(tile):
    q, k, v = (torch.randn(100, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(n)) for n in range(3))
    whole = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    assert torch.allclose(tiled(q, k, v, tile), whole, atol=1e-12) and torch.allclose(plain(q, k, v), whole, atol=1e-12)


def test_large_scores_do_not_overflow():
    q = torch.full((4, 8), 100.0)
    assert torch.isfinite(tiled(q, q, q, 2)).all()


def test_rescaling_is_what_makes_it_exact():
    result = tiled_attention(tokens=512)
    assert max(result["tiled_error"], result["plain_error"]) < 1e-5 < 1e-2 < result["dropped_error"]
