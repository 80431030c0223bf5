"""Every curve of a formula passes through the numbers that its kernel gives for that abscissa."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pytest

from kernels.declare import KernelError, find
from kernels.results import Curve, Number

MODEL = {"model": "llama-2-7b"}
LINKS = {"size": 3e9, "inside_bandwidth": 450e9, "across_bandwidth": 50e9}


@dataclass(frozen=True)
class Through:
    """A curve of a kernel, and what each line is at x: an expression of x, outputs and parameters of the run with x as `parameter`."""

    kernel: str
    parameter: str  # empty where the run stays the same
    lines: dict[str, str]
    given: dict[str, Any] = field(default_factory=dict)
    also: dict[str, Any] = field(default_factory=dict)  # parameters that follow from x, or from the line
    output: str = "sweep"

    def __str__(self) -> str:
        return self.kernel

    def run(self, line: str, x: float):
        other = {name: follows(line, x) for name, follows in self.also.items()}
        return find(self.kernel)(**{**self.given, **other, **({self.parameter: x} if self.parameter else {})})


CURVES = [
    Through("alibi_window", "distance", {"head 8": "at_distance"}),
    Through("attention_flops", "tokens", {f"d{d}": "attention_share" for d in (2048, 4096, 12288)}, {"d_model": 1024, "tokens": 512},
            {"d_model": lambda line, x: int(line[1:])}),
    Through("attention_flops", "tokens", {"d2048": "attention_share"}, {"d_model": 2048, "tokens": 512, "causal": False, "ffn_ratio": 3.0}),
    Through("attention_memory", "tokens", {"naive": "naive", "flash": "flash"}, {"tokens": 4096}),
    Through("binomial_interval", "n", {"lower": "lower", "upper": "upper"}, {"successes": 40}, {"successes": lambda line, x: x * 4 // 5}),
    Through("conv_stack", "kernel_size", {"flops": "flops"}, {"kernel_size": 3, "layers": 2, "stride": 2, "batch": 3}, output="kernels"),
    Through("decode_roofline", "batch", {"reads": "memory_time", "arithmetic": "compute_time"}, {**MODEL, "context": 4096, "gpus": 2, "bits": 8.0}),
    Through("embedding_share", "d_model", {f"v{v}": "share" for v in (32000, 50257, 128256)}, {"d_model": 512, "layers": 8},
            {"layers": lambda line, x: max(1, x // 64), "vocab": lambda line, x: int(line[1:])}),
    Through("fedavg_drift", "local_steps", {"FedAvg": "fixed_point"}, {"share_a": 0.3}),
    Through("ffn_budget", "expansion", {"SwiGLU": "3 * ideal * d_model", "ReLU": "2 * ideal * d_model"}),
    Through("kv_cache", "tokens", {"cache": "total"}, {**MODEL, "tokens": 4096, "batch": 3}),
    Through("linear_adversary", "inputs", {"worst": "adversarial", "random": "random"}),
    Through("loader_step", "workers", {"GPU busy": "utilisation"}, {"load": 0.3}),
    Through("moe_capacity", "factor", {"balanced": "dropped"}, {"tokens": 512, "experts": 8}, output="dropped_by_factor"),
    Through("moe_capacity", "factor", {"skewed": "dropped"}, {"tokens": 512, "experts": 8, "concentration": 2.0}, output="dropped_by_factor"),
    Through("moe_weight_reads", "tokens", {"mixtral-8x7b": "read", "llama-2-13b": "dense_read", "all": "read / share"}, {"bits": 8.0}),
    Through("no_grad_memory", "tokens", {"saved": "saving"}),
    Through("repeated_data", "epochs", {"repeated": "effective_epochs", "all fresh": "epochs"}),
    Through("seed_runs", "seeds", {"half-width": "half_width"}),
    Through("sharding_fit", "parameters", {"state": "per_gpu"}, {"parameters": 3_000_000_000, "gpus": 8}, output="sizes"),
    Through("small_reads", "in_flight", {"files": "files", "shards": "shards"}),
    Through("speculative_speedup", "acceptance", {"speedup": "speedup"}, {"acceptance": 0.8, "draft_tokens": 4, "cost_ratio": 0.1}),
    Through("temperature_softmax", "temperature", {"top": "top", "tracked": "tracked", "tail": "tail"}),
    Through("token_inflation", "tokens", dict.fromkeys(("llama-3.2-1b", "llama-3-8b", "llama-3-70b"), "ratio"), {"causal": False},
            {"model": lambda line, x: line}),
    Through("warp_divergence_cost", "probability", {"slowdown": "slowdown", "diverging": "diverges"}, {"cost_if": 3.0}),
    Through("zero_memory", "stage", {part: part for part in ("weights", "gradients", "optimizer")}, {"parameters": 7e9, "gpus": 64, "stage": 0},
            output="stages"),
    Through("allreduce_cost", "gpus", dict.fromkeys(("naive", "parameter-server", "tree", "ring"), "sent_per_gpu"),
            {"gpus": 96, "size": 3e9, "bandwidth": 50e9, "latency": 1e-3}, {"algorithm": lambda line, x: line}),
    Through("ddp_overlap", "inside_bandwidth", {"in buckets": "speedup", "all at the end": "speedup_at_once"},
            {"size": 1e9, "backward": 0.3, "inside_latency": 1e-3}),
    Through("exact_search", "queries", {"fp32": "time", "tf32": "time"}, {}, {"dtype": lambda line, x: line}),
    Through("hierarchical_allreduce", "size", {"flat rings": "flat_time", "two levels": "time", "tree": "tree_time"},
            {**LINKS, "nodes": 6, "per_node": 8}),
    Through("launch_bound", "rows", {"memory": "reading", "arithmetic": "arithmetic", "launch": "launch"}, {"by": "layer"}),
    Through("loss_scaling", "", {"lost": "lost_scaled", "infinite": "overflow_scaled"}, {"median": 1e-5}, {"scale": lambda line, x: 2.0**x}),
    Through("low_rank_update", "rank", {"all alike": "left", "as 1/√i": "left", "as 1/i": "left"}, {"d": 256},
            {"decay": lambda line, x: {"all alike": 0.0, "as 1/√i": 0.5, "as 1/i": 1.0}[line]}),
    Through("reward_overoptimisation", "n", {"heavy-tailed": "true", "nearly Gaussian": "true"}, {},
            {"tail": lambda line, x: 2.0 if line == "heavy-tailed" else 1000.0}),
    Through("warm_start", "n", {"similar source": "finetuned", "unrelated source": "finetuned_unrelated", "from scratch": "scratch"}),
    Through("zero_traffic", "", {"ZeRO-1": "tokens_1 / x", "ZeRO-3": "tokens_3 / x"},
            {"parameters": 7e9, "nodes": 8, "rate": 4e14, "micro_steps": 2}),
    Through("block_roofline", "d_model", {"naive": "core_share_naive", "flash": "core_share_flash", "flops": "core_flops_share"}, {"tokens": 8192}),
    Through("expert_loop", "tokens", {"looped": "looped", "grouped": "grouped"}),
    Through("mla_prefill", "prefix", {"break-even": "break_even"}),
    Through("mla_rotation", "tokens", {"correlation": "correlation"}),
    Through("mla_step", "tokens", {way: way for way in ("absorbed", "rebuilt", "kept")}),
    Through("new_token_init", "log_z", {"row of zeros": "zero_probability", "mean row, at most": "mean_bound"}),
    Through("speculative_roofline", "acceptance", {"speed-up": "speedup"}),
    Through("weight_only_gain", "batch", {"gain": "gain"}),
]  # fmt: skip
GPT3 = {"width": 12288, "heads": 96, "layers": 96}
POINTS = [  # where no parameter is the abscissa: kernel, its run, the curve, a line, the place on it, what stands there
    ("activation_memory", GPT3, "sweep", "kept", 0, "checkpointed"),
    ("activation_memory", GPT3, "sweep", "kept", 1, "segments"),
    ("activation_memory", GPT3, "sweep", "kept", -1, "checkpointed_layer + flash"),
    ("bpe_merges", {"text": "the cat sat on the mat", "merges": 4}, "steps", "symbols", 0, "symbols"),
    ("bpe_merges", {"text": "the cat sat on the mat", "merges": 4}, "steps", "symbols", 4, "symbols_after"),
    ("bpe_merges", {"text": "the cat sat on the mat", "merges": 4}, "steps", "symbols", -1, "words"),
    *(("float_format", {"format": format}, "reach", line, i, f"log10({line})")
      for i, format in enumerate(("fp32", "bf16", "fp16", "fp8-e5m2", "fp8-e4m3")) for line in ("smallest", "largest")),
    ("checkpoint_interval", {}, "sweep", "lost", 16, "lost"),
    ("checkpoint_interval", {}, "sweep", "lost", 0, "lost * (16 + 1 / 16) / 2"),  # at the best interval / 16
    ("kaplan_chinchilla", {}, "sweep", "without", 8, "large"),
    ("kaplan_chinchilla", {}, "sweep", "total", 4, "total"),
    ("partial_speedup", {"faster": 2.0, "overall": 1.5}, "sweep", "67 %", 2, "overall"),
    ("partial_speedup", {"faster": 10.0, "overall": 1.5}, "sweep", "37 %", -1, "overall"),
    ("partial_speedup", {"faster": 2.0, "overall": 1.5}, "sweep", "100 %", -1, "10"),
    ("partial_speedup", {"faster": 2.0, "overall": 1.5}, "sweep", "80 %", 2, "1 / (0.2 + 0.8 / 2)"),
    ("rope_spectrum", {}, "sweep", "RoPE", 0, "shortest"),
    ("rope_spectrum", {}, "sweep", "RoPE", -1, "longest"),
    ("rope_spectrum", {}, "sweep", "interpolated", 0, "shortest * factor"),
    ("rope_spectrum", {}, "sweep", "NTK", 0, "shortest"),
    ("rope_spectrum", {}, "sweep", "NTK", -1, "longest * factor"),
    ("tensor_parallel", {"width": 8192, "tokens": 2048, "gpus": 8}, "sweep", "share", 0, "inside_share"),
    ("tensor_parallel", {"width": 8192, "tokens": 2048, "gpus": 8}, "sweep", "share", 1, "halves_share"),
    ("tensor_parallel", {"width": 8192, "tokens": 2048, "gpus": 8}, "sweep", "share", -1, "across_share"),
    ("weighted_reservoir", {}, "sweep", "heavy over light", 2, "ratio"),
    ("reservoir_inclusion", {"k": 3, "n": 20}, "inclusion", "reservoir", 7, "uniform"),
    ("reservoir_inclusion", {"k": 3, "n": 20, "policy": "replace-always"}, "inclusion", "replace-always", 0, "first"),
]  # fmt: skip


def scalars(result) -> dict[str, Any]:
    return {**result.parameters, **{name: result[name] for name, output in result.outputs.items() if isinstance(output, Number)}}


@pytest.mark.parametrize("curve", CURVES, ids=str)
def test_the_curve_passes_through_the_numbers(curve):
    drawn = find(curve.kernel)(**curve.given).outputs[curve.output]
    assert isinstance(drawn, Curve) and curve.lines.keys() <= drawn.lines.keys()
    for line, expression in curve.lines.items():
        met = 0
        for x, value in list(zip(drawn.x, drawn.values(line)))[:: max(1, len(drawn.x) // 8)]:
            try:
                result = curve.run(line, x)
            except KernelError:  # an end of the curve that no run may ask for
                continue
            met += 1
            assert value == pytest.approx(eval(expression, {}, {"x": x, **scalars(result)}), rel=1e-9), (line, x)
        assert met >= 2


@pytest.mark.parametrize("kernel, given, output, line, place, expression", POINTS)
def test_the_curve_has_this_point(kernel, given, output, line, place, expression):
    result = find(kernel)(**given)
    assert result.outputs[output].values(line)[place] == pytest.approx(eval(expression, {"log10": math.log10}, scalars(result)), rel=1e-9)
