import pytest

from kernels import plot
from kernels.library.transformers.attention_pattern import attention_pattern


def mask(tokens, window):
    torch = pytest.importorskip("torch")
    distance = torch.arange(tokens)[:, None] - torch.arange(tokens)[None, :]
    return (distance >= 0) & (distance < window)


@pytest.mark.parametrize("tokens, window", [(1, 1), (6, 4096), (6, 3), (40, 7), (40, 40), (33, 1)])
@pytest.mark.oracle("attention_pattern", "masks of torch, their entries counted")
def test_pairs_are_the_mask_s_entries(tokens, window):
    got = attention_pattern(tokens=tokens, window=window)
    assert got["windowed"] == int(mask(tokens, window).sum()) and got["causal"] == int(mask(tokens, tokens).sum())
    assert got["causal_share"] == got["causal"] / got["all"]
    assert got["of_all"] == got["all"] / got["windowed"] and got["of_causal"] == got["causal"] / got["windowed"]
    assert got["mean_keys"] == got["causal"] / tokens and got["strict"] == got["causal"] - tokens and got["all"] == tokens**2


@pytest.mark.parametrize("window, layers", [(2, 1), (3, 4), (5, 2)])
@pytest.mark.oracle("attention_pattern", "products of masks, layer after layer")
def test_the_reach_is_that_of_the_masks_multiplied(window, layers):
    torch = pytest.importorskip("torch")
    one = mask(60, window).double()
    seen = torch.linalg.matrix_power(one, layers)[-1] > 0
    assert attention_pattern(tokens=60, window=window, layers=layers)["reach"] == int(seen.sum()) - 1


def test_as_many_layers_as_needed_and_no_fewer():
    torch = pytest.importorskip("torch")
    one, needed = mask(60, 5).double(), attention_pattern(tokens=60, window=5)["layers_needed"]
    reached = [bool((torch.linalg.matrix_power(one, layers)[-1] > 0).all()) for layers in (needed - 1, needed)]
    assert reached == [False, True] and attention_pattern(tokens=60, window=1)["layers_needed"] == 0


def test_the_figures_draw():
    assert "Six words" in plot.draw(attention_pattern, attention_pattern()).alt
    assert "window of 4,096" in plot.draw(attention_pattern, attention_pattern(tokens=131072)).alt
