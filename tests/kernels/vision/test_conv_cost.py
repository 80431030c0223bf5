import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot, precision
from kernels.library.machines._devices import DEVICES
from kernels.library.vision import conv_cost as file
from kernels.library.vision.conv_blocks import BLOCKS, conv_blocks
from kernels.library.vision.conv_cost import FIRST, conv_cost
from kernels.library.vision.conv_stack import conv_stack
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")

functional = torch.nn.functional


def made_up():  # not measured: numbers to draw with
    times = dict(zip(BLOCKS, (6.0e-4, 1.0e-4, 2.0e-4, 3.0e-4)))
    first = dict(zip(FIRST, (8e-4, 2e-3, 9e-3, 4e-2, 9e-4)))
    return {
        **{f"{name}_time": t for name, t in times.items()},
        **{f"{name}_nchw_time": 1.5 * t for name, t in times.items()},
        **{f"{name}_training_memory": 2e8 for name in BLOCKS},
        **{f"{name}_rate": 1e14 for name in BLOCKS},
        **{f"{name}_of_peak": 0.2 for name in BLOCKS},
        **{f"{name}_speedup": times["plain"] / times[name] for name in BLOCKS[1:]},
        **{f"first_{name}_time": t for name, t in first.items()},
        "first_31_rate": 7e13,
        "first_31_slowdown": 50.0,
        "first_stack_time": 3e-2,
        "first_memory": 1.1e9,
        "matmul_ceiling": 7e14,
        "error": 3e-3,
        "first": {"kernel": [3, 7, 15, 31], "measured": [8e-4, 2e-3, 9e-3, 4e-2]},
    }


@pytest.mark.parametrize("layers", [*(file.block(name, 32) for name in BLOCKS), *([(3, 8, *k, 1)] for k in FIRST.values())], ids=str)
def test_unfolding_is_convolution(layers):
    x = file.image(2, layers[0][0], 17, 20, "fp32", "cpu").double()
    weights = [w.double() for w in file.parameters(layers, "fp32", "cpu")]
    assert precision.error_against(file.through(functional.conv2d, x, layers, weights), file.through(file.unfolded, x, layers, weights)) < 1e-13


@pytest.mark.oracle("conv_blocks", "torch modules that count their own parameters")
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_has_the_parameters_of_the_formula(name):
    weights = file.parameters(file.block(name, 64), "bf16", "cpu")
    assert sum(w.numel() for w in weights) == conv_blocks(channels=64)[name]
    assert file.checked(file.block(name, 64), "bf16", "cpu") < 2e-2
    assert [g.shape for g in file.trained(file.image(1, 64, 8, 8, "fp32", "cpu"), file.block(name, 64), [w.float() for w in weights])][0] == (
        1,
        64,
        8,
        8,
    )


@pytest.mark.parametrize(
    "stack", [{"kernel_size": 3, "layers": 3}, {"kernel_size": 31, "channels_in": 3, "stride": 2}, {"kernel_size": 5, "groups": 8}], ids=str
)
def test_the_formula_counts_what_torch_counts(stack):
    from torch.utils.flop_counter import FlopCounterMode

    given = {"channels_in": 16, "channels": 16, "layers": 1, "stride": 1, "groups": 1, "height": 24, "width": 40, **stack}
    layers = [
        (given["channels_in"] if i == 0 else 16, 16, given["kernel_size"], given["stride"] if i == 0 else 1, given["groups"])
        for i in range(given["layers"])
    ]
    x, weights = file.image(2, given["channels_in"], 24, 40, "bf16", "cpu"), file.parameters(layers, "bf16", "cpu")
    result = conv_stack(batch=2, **given)
    with FlopCounterMode(display=False) as counter:
        y = file.forward(x, layers, weights)
    assert counter.get_total_flops() == result["flops"]
    assert sum(w.numel() for w in weights) == result["parameters"] and y.numel() * y.element_size() == result["output"]
    assert y.numel() * y.element_size() * len(layers) == result["activations"]


@pytest.mark.parametrize("layers, kernel, stride", [(1, 3, 1), (15, 3, 1), (50, 1, 1), (4, 5, 1), (3, 3, 2)])
def test_the_receptive_field_is_where_the_gradient_reaches(layers, kernel, stride):
    """The stack of `conv_stack`: the stride stands in the first layer, so later kernels reach `stride` pixels a tap."""
    expected = conv_stack(kernel_size=kernel, layers=layers, stride=stride)["receptive_field"]
    size = 4 * int(expected) + 1
    x = torch.zeros(1, 1, 1, size, dtype=torch.float64, requires_grad=True)
    y = x
    for i in range(layers):
        y = functional.conv2d(y, torch.ones(1, 1, 1, kernel, dtype=torch.float64), padding=(0, kernel // 2), stride=(1, stride if i == 0 else 1))
    y[0, 0, 0, y.shape[-1] // 2].backward()
    assert int((x.grad != 0).sum()) == expected


def test_published_savings():
    got = conv_blocks(channels=256)
    assert (got["plain"], got["bottleneck"], got["separable"]) == (589_824, 69_632, 67_840)  # ResNet's figure 5; MobileNet's equation
    assert got["bottleneck_saving"] == conv_blocks(channels=512)["bottleneck_saving"] == pytest.approx(8.47, abs=0.005)


def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(conv_cost)
    assert result["first"].x == (3, 7, 15, 31) and result["error"] < 2e-2
    assert rehearse.expected(conv_cost, result, "h100") <= DEVICES["h100"].half and rehearse.expected(conv_cost, result, "gtx-0") is None
    assert result["first_memory"] == 2 * file.WIDTH * 64 * 64


def test_times_become_rates(pretended_gpu):
    result = conv_cost(batch=1, channels=16, size=8, height=32, width=40)
    assert result["bottleneck_speedup"] == pytest.approx(result["plain_time"] / result["bottleneck_time"])
    assert result["plain_rate"] == pytest.approx(2 * 64 * 9 * 256 / result["plain_time"])
    assert result["plain_of_peak"] == pytest.approx(result["plain_rate"] / result["matmul_ceiling"])


def test_channels_that_do_not_divide_are_refused(pretended_gpu):
    with pytest.raises(KernelError, match="multiple of 4"):
        conv_cost(channels=18)
    with pytest.raises(KernelError, match="do not divide"):
        conv_stack(kernel_size=3, groups=7)


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(conv_cost, Result("conv_cost", "measurement", conv_cost.bind({}), conv_cost.checked(made_up())))
    assert "bottleneck: 200 µs" in drawn.alt


def test_the_formulas_figures():
    assert "bottleneck: 69.6k" in plot.draw(conv_blocks, conv_blocks()).alt
    assert "31×31: 3.06 TFLOP" in plot.draw(conv_stack, conv_stack(kernel_size=31, channels_in=3, height=2160, width=3840)).alt
