"""The same rows in batches of different size: how many bits of the logits change, how far they move, how often the best token flips.

Floating-point addition is not associative, and a matrix product's library picks tiles and splits of the sum by the shape of its
inputs. So row i of f(X) may differ from f(X[i]), though either is right to rounding, and either comes out the same every time
(He et al. 2025, "Defeating Nondeterminism in LLM Inference", Thinking Machines Lab). The model here is a stack of residual MLP
blocks and an output head of true width and random values; a greedy choice flips where two logits lie closer than the change.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel, precision, timing

LIMITS = {"bf16": 6e-2, "fp32": 1e-4}  # of the largest logit: rounding through the stack of blocks
DTYPES = ("bf16", "fp32")
ROWS = 256  # the rows that are watched, and the largest batch
BATCHES = (4, 16, 64, 256)
PADDED = 32  # the first rows, which are also computed in padded batches


@kernel(
    kind="measurement",
    outputs={
        **{
            f"{what}_{dtype}": ""
            for dtype in DTYPES
            for what in ("bits_changed", "moved", "flips", "flips_200_tokens", "error_alone", "error_batched")
        },
        "rerun_changed": "",
        "padded_changed": "",
        "close_calls": "",
        "alone_time": "s",
        "padded_time": "s",
        "padded_over_alone": "",
        "sweep": Series("batch", ""),
    },
    timeout=600,
    on="any",
    memory=lambda d_model, layers, vocab: 14 * (8 * layers * d_model**2 + d_model * vocab) + 48 * ROWS * vocab,  # weights: bf16, bf16, fp32; float64
    formats=DTYPES,
    rehearsal={"batch": 8, "d_model": 64, "layers": 2, "vocab": 128, "ROWS": 16, "BATCHES": (4, 16), "PADDED": 8},
    headline="moved_bf16",
    seconds=30,
)
def batch_invariance(
    batch: Annotated[int, Bound(low=2, high=ROWS)] = 32,
    d_model: Annotated[int, Bound(low=64, high=8192)] = 768,
    layers: Annotated[int, Bound(low=1, high=16)] = 2,
    vocab: Annotated[int, Bound(low=64, high=200_000)] = 50_257,
):
    """Logits of 256 rows computed one by one, against the same rows in batches: changed bits, largest move, flipped greedy choices.

    bits_changed: share of logits that differ at all at this batch size; moved: the largest difference over the logits' standard
    deviation; flips: share of rows whose best token changes; flips_200_tokens: chance that any of 200 such choices does. error: of
    either way against float64, over the largest logit. rerun_changed: the same batch twice, bf16. padded_changed: 32 rows
    alone against batches, each padded to 256 rows, bf16, and the time that this takes. close_calls: share of rows whose two best logits
    lie within moved_bf16. sweep: moved, over batch sizes.
    """
    import torch

    if ROWS % batch:
        raise KernelError(f"batch_invariance: batch is {batch}, but must divide {ROWS}")
    device = timing.device()
    torch.manual_seed(0)
    model = Model(d_model, layers, vocab, device)
    x = torch.randn(ROWS, d_model, device=device)
    exact = model.logits(x, torch.float64)
    found, swept = {}, {}
    batches = sorted({*BATCHES, batch})
    models = {name: model.cast(precision.torch_dtype(name)) for name in DTYPES}
    with precision.matrix_precision("fp32"):
        for name, logits in models.items():
            alone, together = batched(logits, x, 1), batched(logits, x, batch)
            swept[name] = [compared(alone, batched(logits, x, size))["moved"] for size in batches]
            change = compared(alone, together)
            found[name] = {
                **change,
                "flips_200_tokens": 1 - (1 - change["flips"]) ** 200,
                "error_alone": precision.error_against(exact, alone, LIMITS[name]),
                "error_batched": precision.error_against(exact, together, LIMITS[name]),
            }
    logits = models["bf16"]
    rerun = compared(batched(logits, x, batch), batched(logits, x, batch))["bits_changed"]
    few = x[: max(batch, PADDED)]
    padded = compared(padded_rows(logits, few, 1), padded_rows(logits, few, batch))["bits_changed"]
    turns = timing.in_turns(alone=lambda: logits(x[:1]), padded=lambda: padded_rows(logits, x[:1], 1))
    best = exact.topk(2, -1).values
    close = (best[:, 0] - best[:, 1] <= found["bf16"]["moved"] * exact.std()).double().mean()
    return {
        **{f"{what}_{name}": value for name, values in found.items() for what, value in values.items()},
        "rerun_changed": rerun,
        "padded_changed": padded,
        "close_calls": close,
        "alone_time": turns["alone"],
        "padded_time": turns["padded"],
        "padded_over_alone": turns.ratio("padded", "alone"),
        "sweep": {"batch": batches, **swept},
    }


class Model:
    """Residual MLP blocks and an output head, of random values; `cast` gives it in one dtype, a function of rows."""

    def __init__(self, d_model: int, layers: int, vocab: int, device: str) -> None:
        import torch

        def random(*shape: int):
            return (torch.randn(*shape, device=device) * shape[0] ** -0.5).bfloat16()  # exact in every dtype that is compared

        self.blocks = [(random(d_model, 4 * d_model), random(4 * d_model, d_model)) for _ in range(layers)]
        self.head = random(d_model, vocab)

    def cast(self, dtype):
        """A function of x [rows, d_model] that gives logits [rows, vocab], computed in `dtype`."""
        blocks, head = ([(up.to(dtype), down.to(dtype)) for up, down in self.blocks], self.head.to(dtype))

        def logits(x):
            from torch.nn import functional

            x = x.to(dtype)
            for up, down in blocks:
                x = x + functional.silu(functional.rms_norm(x, x.shape[-1:]) @ up) @ down
            return functional.rms_norm(x, x.shape[-1:]) @ head

        return logits

    def logits(self, x, dtype):
        return self.cast(dtype)(x)


def batched(logits, x, size: int):
    """The logits of all rows, computed `size` rows at a time."""
    import torch

    return torch.cat([logits(part) for part in x.split(size)])


def padded_rows(logits, x, size: int):
    """The same, but every call is of ROWS rows, the rest being zeros: one shape, so one kernel and one order of additions."""
    import torch

    parts = x.split(size)
    return torch.cat([logits(torch.cat((part, part.new_zeros(ROWS - len(part), part.shape[1]))))[: len(part)] for part in parts])


def compared(one, other) -> dict[str, float]:
    """How two sets of logits [rows, vocab] differ."""
    one, other = one.double(), other.double()
    return {
        "bits_changed": (one != other).double().mean().item(),
        "moved": ((one - other).abs().max() / one.std()).item(),
        "flips": (one.argmax(-1) != other.argmax(-1)).double().mean().item(),
    }


@batch_invariance.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, x_label="batch size", y_label="largest move, in sd of the logits", highlight="bf16")
