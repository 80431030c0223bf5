"""Oracle: the tensors that linear and GELU save, counted by hand, and torch's own graph walked from the kept output."""

import pytest

from kernels.library.training.kept_graph import kept_graph

torch = pytest.importorskip("torch")

SMALL = {"layers": 3, "width": 16, "batch": 8, "steps": 5}


@pytest.mark.parametrize("layers, width, batch", [(1, 8, 4), (3, 16, 8), (8, 64, 128)])
def test_the_graph_by_hand(layers, width, batch):
    assert kept_graph(layers=layers, width=width, batch=batch, steps=2)["graph"] == (2 * layers + 1) * batch * width * 4


def test_only_graphs_without_backward_stay():
    got = kept_graph(**SMALL)
    assert got["eval_sum"] == 5 and list(got["sweep"].values("eval_sum")) == [1, 2, 3, 4, 5]
    assert got["train_item"] == got["train_sum"] == got["eval_item"] == got["eval_no_grad"] == 0


def test_the_variable_of_the_step_before_holds_a_graph_through_the_next():
    got = kept_graph(**SMALL)
    assert got["eval_item_peak"] == 2 and got["eval_del_peak"] == 1
    assert got["train_item_peak"] == got["train_sum_peak"] == 1 and got["eval_no_grad_peak"] == 0


def test_no_count_depends_on_what_is_drawn():
    assert kept_graph.once(seed=7, **SMALL).outputs == kept_graph.once(seed=0, **SMALL).outputs


@pytest.mark.parametrize("backward", [True, False])
def test_backward_frees_what_the_graph_saved(backward):
    """Without hooks: the node that the sum of losses still refers to has lost its saved tensor to backward()."""
    weight = torch.nn.Parameter(torch.ones(4, 4))
    loss = (torch.ones(2, 4) @ weight).exp().sum()
    total = torch.zeros(()) + loss
    if backward:
        loss.backward()
    node = total.grad_fn.next_functions[1][0].next_functions[0][0]
    assert node.name() == "ExpBackward0"
    if backward:
        with pytest.raises(RuntimeError, match="freed"):
            _ = node._saved_result
    else:
        assert node._saved_result.shape == (2, 4)
