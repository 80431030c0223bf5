"""One layer's decode step of latent attention from the data sheet: absorbed, with keys and values rebuilt, and with them kept.

    time >= max(FLOP / peak, bytes / bandwidth, launching)

    absorbed   reads the latents and both up-projections      FLOP: batch * (projecting a query + tokens * attending on latents)
    rebuilt    reads the same; keys and values stay on chip   FLOP: batch * tokens * (rebuilding + attending)
    kept       reads all heads' keys and values               FLOP: batch * tokens * attending

FLOP and bytes are those of mla_cache (DeepSeek-AI 2024, DeepSeek-V2, arXiv 2405.04434, section 2.1). rebuilt_apart is rebuilding in a kernel of its
own, which writes the keys and values for a second one to read: the bounds of both are added up. What a published absorbed kernel reaches of the
data sheet stands in machines/_reach.py.
"""

from typing import Annotated, Any

from kernels import Bound, Lower, Series, kernel
from kernels.library.inference.mla_cache import V2, mla_cache
from kernels.library.machines import _reach
from kernels.library.machines._devices import Gpu
from kernels.library.machines._measured import points

WAYS = ("absorbed", "rebuilt", "kept")
LENGTHS = (256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
BYTES = 2  # of a number in bf16


@kernel(
    kind="prediction",
    outputs={
        **dict.fromkeys((*WAYS, "rebuilt_apart"), Lower("s")),
        "expected": "s",
        "rebuilt_over_absorbed": "",
        "latents": "B",
        "keys_values": "B",
        "kept_bytes": "B",
        "sweep": Series("tokens", "s", "token"),
    },
)
def mla_step(
    tokens: Annotated[int, Bound("token", low=1)] = 4096,
    batch: Annotated[int, Bound(low=1)] = 8,
    heads: Annotated[int, Bound(low=1)] = V2.heads,
    head_dim: Annotated[int, Bound(low=1)] = V2.head_dim,
    latent: Annotated[int, Bound(low=1)] = V2.latent,
    rope: Annotated[int, Bound(low=0)] = V2.rope,
    gpu: Gpu = "h100",
    launching: Annotated[float, Bound("s", low=0, high=0.05)] = 0.0,
):
    """The least time of one MLA layer's attention in a decode step, bf16: absorbed, rebuilt, and with all keys and values kept.

    `batch` sequences of `tokens` cached tokens; defaults are DeepSeek-V2's shapes. latents, keys_values: of the batch, in this layer. kept_bytes:
    the cache if keys and values are kept. expected: absorbed, at the share of the data sheet that published kernels reach. launching: seconds of
    each way's launches. sweep: the three times over the cached tokens.
    """

    def times(cached: int) -> dict[str, Any]:
        own = mla_cache(heads=heads, head_dim=head_dim, latent=latent, rope=rope, tokens=cached, batch=batch)
        size, projections = batch * cached, 2 * heads * head_dim * latent * BYTES
        made = own["layer_keys_values"]
        keys = size * rope * BYTES

        def least(flops: float, moved: float) -> float:
            return _reach.least(gpu, flops, moved, launching)

        attend, rebuild = size * own["naive_flops"], size * own["expand_flops"]
        absorbed = batch * own["query_flops"] + size * own["absorbed_flops"], own["layer_latents"] + projections
        return {
            "absorbed": least(*absorbed),
            "expected": _reach.expected("latent attention", gpu, *absorbed, launching),
            "rebuilt": least(rebuild + attend, own["layer_latents"] + projections),
            "kept": least(attend, made + keys),
            "rebuilt_apart": least(rebuild, own["layer_latents"] - keys + projections + made) + least(attend, made + keys),
            "latents": own["layer_latents"],
            "keys_values": made,
            "kept_bytes": made + keys,
        }

    now = times(tokens)
    lengths = sorted({*LENGTHS, tokens})
    swept = [times(cached) for cached in lengths]
    return {
        **now,
        "rebuilt_over_absorbed": now["rebuilt"] / now["absorbed"],
        "sweep": {"tokens": lengths, **{way: [found[way] for found in swept] for way in WAYS}},
    }


@mla_step.figure
def draw(result, ax, measured=None):
    from kernels import plot

    plot.height(ax, 230)
    names = {"absorbed": "absorbed", "rebuilt": "rebuilt\neach step", "kept": "all K, V\nkept"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=names, x_label="cached tokens", y_label="one layer, at least", highlight="absorbed")
    if measured:
        points(ax, zip(measured["sweep"].x, measured["sweep"].values("absorbed")), "s")
