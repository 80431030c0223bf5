"""What predictions say, held against speeds that others measured: published_speeds.yml, row by row; and what a prediction is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kernels import Series, catalogue, plot
from kernels.declare import find
from kernels.library.machines._devices import DEVICES
from kernels.library.machines._reach import REACHED, expected, least, reach
from kernels.results import Number, Result

TABLE = Path(__file__).parent / "published_speeds.yml"
FIELDS = {"source", "opened", "kernel", "given", "columns", "value", "bound", "expected", "within", "because", "rows"}
BEYOND = 1.03  # how much better than a data sheet a device may be: consumer cards clock higher than it says
PREDICTIONS = [kernel for kernel in map(find, catalogue.names()) if kernel.kind == "prediction"]


@dataclass(frozen=True)
class Row:
    """One measurement: the prediction's parameters, how the printed number follows from its time, and the number."""

    kernel: str
    given: Mapping[str, Any]
    value: str
    bound: str
    expected: str
    within: float
    measured: float
    source: str

    def __str__(self) -> str:
        return f"{self.kernel}-{'-'.join(map(str, self.given.values()))}"

    def result(self) -> Result:
        return find(self.kernel)(**self.given)

    def of(self, result: Result, t: float) -> float:
        """The printed quantity at a time, or a gain, of t."""
        known = {name: output.value for name, output in result.outputs.items() if isinstance(output, Number)}
        return float(eval(self.value, {}, {**result.parameters, **known, "t": t}))

    def ends(self, result: Result) -> tuple[float, float]:
        """The quantity's expected ends, the smaller one first."""
        number = result.outputs[self.expected]
        assert isinstance(number, Number) and number.low is not None and number.high is not None
        low, high = sorted((self.of(result, number.low), self.of(result, number.high)))
        return low, high

    def best(self, result: Result) -> float:
        return self.of(result, result[self.bound])

    def rises(self, result: Result) -> bool:
        """Whether more of the quantity is better: a rate or a gain, not a time."""
        return self.bound == "gain" or self.of(result, 2 * result[self.bound]) < self.best(result)


def rows() -> Iterator[Row]:
    for group in yaml.safe_load(TABLE.read_text(encoding="utf-8")):
        assert group.keys() <= FIELDS and isinstance(group["opened"], bool) and group["because"], group["source"]
        for *cells, measured in group["rows"]:
            given = {**group.get("given", {}), **dict(zip(group.get("columns", []), cells, strict=True))}
            said = (group["value"], group["bound"], group["expected"], float(group["within"]))
            yield Row(group["kernel"], given, *said, float(measured), group["source"])


@pytest.mark.parametrize("row", rows(), ids=str)
def test_no_measurement_is_better_than_its_bound(row):
    result = row.result()
    over = row.measured / row.best(result) if row.rises(result) else row.best(result) / row.measured
    assert over <= BEYOND, f"{row}: {row.measured} where {row.best(result):.4g} is the best ({row.source})"


@pytest.mark.parametrize("row", rows(), ids=str)
def test_it_was_to_be_expected(row):
    low, high = row.ends(row.result())
    assert low / row.within <= row.measured <= high * row.within, f"{row}: {row.measured}, expected {low:.4g} to {high:.4g} ({row.source})"


def test_the_factor_is_no_wider_than_its_group_needs():
    """Else any prediction would hold: without a fifth of its room, each group that has more than 1.1 loses a row."""
    for source in {row.source for row in rows() if row.within > 1.1}:
        group = [(row, *row.ends(row.result())) for row in rows() if row.source == source]
        off = max(max(low / row.measured, row.measured / high) for row, low, high in group)
        assert off > 1 + 0.8 * (group[0][0].within - 1) - 0.1, f"{source}: {group[0][0].within} where {off:.3f} is needed"


def test_there_are_as_many_as_were_promised():
    every = list(rows())
    assert len(every) >= 15
    assert len({row.kernel for row in every}) >= 5 and len({row.given.get("gpu") for row in every}) >= 6


# ---------------------------------------------------------------------------------------------- the reach


def test_shares_are_shares():
    assert all(0.15 < row.share < 1 for row in REACHED)
    assert all(row.source for row in REACHED) and sum(row.opened for row in REACHED) > 0.9 * len(REACHED)


def test_the_ends_are_those_of_the_gpu_or_else_of_all():
    a100, nowhere = reach("product", "a100", "arithmetic"), reach("product", "rtx-3060", "arithmetic")
    assert (a100.low, a100.high) == pytest.approx((230 / 311.87, 271.2 / 311.87), rel=1e-3)
    assert (nowhere.low, nowhere.high) == (min(shares := [r.share for r in REACHED if r.operation == "product"]), max(shares))
    assert reach("decode", "h100", "arithmetic") == reach("product", "h100", "arithmetic")  # no row of its own


@pytest.mark.parametrize("gpu", ["a100", "h100", "mi300x", "rtx-3060"])
@pytest.mark.parametrize(("flops", "moved", "launching"), [(1e15, 1e9, 0.0), (1e9, 1e12, 0.0), (1e6, 1e3, 5e-6)])
def test_what_is_expected_takes_longer_than_the_bound(gpu, flops, moved, launching):
    bound, time = least(gpu, flops, moved, launching), expected("product", gpu, flops, moved, launching)
    assert bound <= time.low <= time.value <= time.high
    assert (time.high > bound) == (launching == 0.0)  # a launch takes what it takes


def test_expected_times_by_hand():
    """On an H100, whose products are published at 721.6 and 794.5 TFLOP/s, and its streams at 2.573 and 3.01 TB/s."""
    search = find("exact_search")(vectors=10**6, dimension=768).outputs["expected"]
    assert (search.low, search.high) == pytest.approx((4 * 768e6 / 3.01e12, 4 * 768e6 / 2.573e12), rel=1e-3)
    layer = find("launch_bound")(width=8192, rows=8192).outputs["whole_expected"]
    assert (layer.low, layer.high) == pytest.approx((2 * 8192**3 / 794.5e12, 2 * 8192**3 / 721.6e12), rel=1e-3)
    block = find("block_roofline")(d_model=4096)
    norms_and_sums = (block["norms_time_fused"] + block["elementwise_time"]) * DEVICES["h100"].bandwidth
    flops = block["products_time"] * DEVICES["h100"].half, block["core_time_flash"] * DEVICES["h100"].half
    whole = block.outputs["expected"]
    assert whole.low == pytest.approx(flops[0] / 794.5e12 + flops[1] / 620.7e12 + norms_and_sums / 3.01e12, rel=1e-3)
    assert whole.high == pytest.approx(flops[0] / 721.6e12 + flops[1] / 581.9e12 + norms_and_sums / 2.573e12, rel=1e-3)
    parts = ("products_time", "core_time_flash", "norms_time_fused", "elementwise_time")
    assert block["block_time"] == pytest.approx(sum(block[part] for part in parts))


def test_the_rows_of_speeds_are_not_those_of_the_reach():
    """A prediction that is held against what it was made of holds by itself."""
    shares = {(row.gpu, row.limit): [] for row in REACHED}
    for row in REACHED:
        shares[row.gpu, row.limit].append(row.share)
    for row in rows():
        result = row.result()
        if "gpu" not in row.given or row.bound in ("gain", "grouped"):
            continue
        got = row.measured / row.best(result) if row.rises(result) else row.best(result) / row.measured
        same = [share for limit in ("arithmetic", "memory") for share in shares.get((row.given["gpu"], limit), ()) if abs(share - got) < 1e-4]
        assert not same, f"{row}: a share of {got:.4f} stands in the table of the reach too"


# ----------------------------------------------------------------------------------------- every prediction


def test_predictions_name_their_gpu():
    assert len(PREDICTIONS) >= 14
    assert all("gpu" in kernel.parameters for kernel in PREDICTIONS if kernel.name != "format_speed")  # which is the A100's


REQUIRED = {
    "roofline": {"operation": "gemm_256"},
    "decode_roofline": {"model": "llama-3-8b"},
    "conv_stack": {"kernel_size": 3},
    "format_speed": {"format": "int8"},
}


@pytest.mark.parametrize("kernel", PREDICTIONS, ids=lambda kernel: kernel.name)
def test_every_time_is_declared_as_a_bound(kernel):
    """Those of moe_weight_reads are not, as a card compares the two."""
    plain = {name for name, unit in kernel.outputs.items() if unit in ("s", "token/s") and not kernel.bounds.get(name)}
    assert plain <= {"expected", "whole_expected"} | ({"step", "dense_step"} if kernel.name == "moe_weight_reads" else set())


@pytest.mark.parametrize("kernel", PREDICTIONS, ids=lambda kernel: kernel.name)
def test_a_launch_is_a_floor(kernel):
    name = next((name for name in ("launching", "launch", "overhead") if name in kernel.parameters), None)
    if name is None:
        assert set(kernel.outputs.values()) <= {"", "FLOP/s"} or kernel.name == "weight_only_gain"  # ratios of rates
        return
    most = kernel.parameters[name].bound.high or 1e-3
    result = kernel(**REQUIRED.get(kernel.name, {}), **{name: most})
    times = [output.value for output in result.outputs.values() if isinstance(output, Number) and output.unit == "s"]
    assert max(times) >= most


# -------------------------------------------------------------------------------- measured points on the line


@dataclass(frozen=True)
class Twin:
    """A prediction, the measurement that stands on its figure, made-up outputs of it, and where their points belong."""

    prediction: str
    given: Mapping[str, Any]
    measurement: str
    outputs: Mapping[str, Any]
    points: tuple[tuple[float, float], ...]

    def measured(self) -> Result:
        """Every declared output, 1 where none is given."""
        kernel = find(self.measurement)
        plain = {name: {unit.x: [1], "line": [1]} if isinstance(unit, Series) else 1.0 for name, unit in kernel.outputs.items()}
        return Result(kernel.name, kernel.kind, kernel.bind({}), kernel.checked({**plain, **self.outputs}))


GEMV = {"gemv_intensity": 1.0, "gemv_rate": 2.9e12}
BLOCK = {"matrices_time": 1e-3, "matrices_bandwidth": 1e12, "matrices": {"batch": [1, 64, 2048], "measured": [1e-3, 2e-3, 9e-3], "floor": [1, 1, 1]}}
WEIGHTS = find("decode_roofline")(model="llama-3-8b")["weights"]
TWINS = (
    Twin("roofline", {"operation": "gemv"}, "roofline_measure", GEMV, ((1.0, 2.9e12),)),
    Twin("decode_roofline", {"model": "llama-3-8b"}, "decode_bandwidth", BLOCK, ((1, WEIGHTS / 1e12), (64, 2 * WEIGHTS / 1e12))),
    Twin("exact_search", {}, "bruteforce_search", {"time_1": 1e-3, "time_64": 3e-3}, ((1, 1e-3), (64, 3e-3))),
    Twin(
        "weight_only_gain",
        {},
        "quantized_gemv",
        {"sweep": {"batch": [1, 64], "bf16": [4e-4, 5e-4], "int8": [2e-4, 3e-4], "int4": [1e-4, None]}},
        ((1, 4.0),),
    ),
    Twin(
        "mla_step",
        {},
        "mla_absorb",
        {"sweep": {"tokens": [512, 4096], "absorbed": [2e-5, 9e-5], "expanded": [1, 1], "kept": [1, 1]}},
        ((512, 2e-5), (4096, 9e-5)),
    ),
    Twin(
        "speculative_roofline",
        {},
        "speculative_measure",
        {"sweep": {"acceptance": [0.3, 0.9], "measured": [0.9, 2.4], "by size": [1, 1]}},
        ((0.3, 0.9), (0.9, 2.4)),
    ),
    Twin(
        "expert_loop",
        {},
        "moe_dispatch",
        {"sweep": {"tokens": [64, 4096], "looped": [3e-3, 4e-3], "grouped": [2e-4, 6e-4]}},
        ((64, 2e-4), (4096, 6e-4)),
    ),
    Twin(
        "launch_bound", {}, "loop_vs_gemm", {"sweep": {"rows": [1, 512], "eager": [6e12, 4e14], "graph": [1, 1]}}, ((512, 512 * 2 * 4096**2 / 4e14),)
    ),
)


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.prediction)
def test_measured_points_stand_on_the_figure(twin):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    kernel, measured = find(twin.prediction), twin.measured()
    result = kernel(**twin.given)
    ax = figure.add_subplot()
    assert kernel.draw is not None
    kernel.draw(result, ax, measured)
    drawn = [point for line in ax.get_lines() if line.get_marker() == "o" for point in zip(line.get_xdata(), line.get_ydata(), strict=True)]
    assert all(any(point == pytest.approx(other) for other in drawn) for point in twin.points), drawn
    without, beside = plot.draw(kernel, result), plot.draw(kernel, result, measured)
    assert without.light != beside.light and "measured" in beside.alt
    assert plot.draw(kernel, result, None).light == without.light
