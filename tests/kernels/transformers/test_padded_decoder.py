"""Oracles: the algebra (zero where padding cannot reach), torch's TransformerEncoderLayer for the blocks, complex rotation."""

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.transformers import padded_decoder as file
from kernels.library.transformers.padded_decoder import padded_decoder
from kernels.library.transformers.position_shift import turned

NOUGHT = ("left_right_ids", "left_default_ids_rotary", "right_unmasked", "encoder_masked")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_padding_reaches(seed):
    found = padded_decoder(seed=seed, texts=2, width=32)
    values = {name: found[name] for name in file.OUTPUTS}
    assert all((value < 1e-9) == (name in NOUGHT) for name, value in values.items())
    assert all(found[name] > 0.05 for name in values if name not in NOUGHT)


def test_the_blocks_are_torchs():
    block = torch.nn.TransformerEncoderLayer(16, 1, 32, dropout=0.0, norm_first=True, batch_first=True, bias=False, dtype=torch.float64)
    q, k, v = block.self_attn.in_proj_weight.chunk(3)
    weights = [q.T, k.T, v.T, block.self_attn.out_proj.weight.T, block.linear1.weight.T, block.linear2.weight.T]
    x, seen = torch.randn(3, 7, 16, dtype=torch.float64), torch.ones(7, 7, dtype=torch.bool).tril()
    expected = torch.nn.functional.layer_norm(block(x, src_mask=~seen), (16,))
    assert torch.allclose(file.decoder(x, [weights], seen), expected)


def test_rotation():
    x = torch.randn(1, 5, 8, dtype=torch.float64)
    assert torch.allclose(file.turned(x, torch.arange(5))[:, 3], turned(x[:, 3], 3))


def test_the_figure():
    assert "no mask" in plot.draw(padded_decoder, padded_decoder(texts=2)).alt
