"""Multi-Head Latent Attention in decode, one layer: up-projecting the cache at every step against absorbing the projections.

The cache of a token is a latent c and a rotary key r shared by all heads. With one new query (q, s) for each head,

    expanded   k_t = W_UK c_t,  v_t = W_UV c_t        score_t = q . k_t + s . r_t        out = sum_t p_t v_t
    absorbed   score_t = (W_UK^T q) . c_t + s . r_t                                      out = W_UV (sum_t p_t c_t)

are equal by associativity (DeepSeek-AI 2024, DeepSeek-V2, arXiv 2405.04434, section 2.1 and appendix C). Expanding computes and
writes heads * (d_h + d_h) numbers for every cached token and step; absorbing reads the d_c + d_R that are there. The third
way is plain multi-head attention, whose keys and values were expanded once and kept: no arithmetic, and the whole cache to read.
"""

from typing import Annotated, Literal

from kernels import Bound, Series, kernel, precision, timing

LIMITS = {"bf16": 3e-2, "fp16": 4e-3, "fp32": 1e-5}  # about twice what rounding each intermediate does to the smallest shapes
LENGTHS = (512, 1024, 2048, 4096, 8192)
WAYS = ("absorbed", "expanded", "kept")


@kernel(
    kind="measurement",
    outputs={
        **dict.fromkeys(WAYS, "s"),
        **{f"{way}_error": "" for way in WAYS},
        "speedup": "",
        "absorbed_peak": "B",
        "expanded_peak": "B",
        "expanded_predicted": "B",
        "latent_bytes": "B",
        "kept_bytes": "B",
        "absorbed_bandwidth": "B/s",
        "absorbed_of_reading": "",
        "expanded_rate": "FLOP/s",
        "expanded_of_matmul": "",
        "read_bandwidth": "B/s",
        "matmul_rate": "FLOP/s",
        "sweep": Series("tokens", "s", "token"),
    },
    memory=lambda tokens, batch, heads, head_dim, rope, dtype: needed(tokens, batch, heads, head_dim, rope, dtype),
    formats=lambda dtype: (dtype,),
    rehearsal={"tokens": 32, "batch": 2, "heads": 4, "head_dim": 16, "latent": 32, "rope": 8, "LENGTHS": (16, 32)},
    headline="absorbed",
    share="absorbed_of_reading",
    seconds=40,
)
def mla_absorb(
    tokens: Annotated[int, Bound("token", low=1, high=16384)] = 4096,
    batch: Annotated[int, Bound(low=1, high=16)] = 8,
    heads: Annotated[int, Bound(low=1, high=256)] = 128,
    head_dim: Annotated[int, Bound(low=8, high=256)] = 128,
    latent: Annotated[int, Bound(low=16, high=2048)] = 512,
    rope: Annotated[int, Bound(low=8, high=128)] = 64,
    dtype: Literal["bf16", "fp16", "fp32"] = "bf16",
):
    """Time and memory of one decode step of one MLA layer, absorbed, expanded, and with all heads' keys and values kept.

    `batch` sequences of `tokens` cached tokens; defaults are DeepSeek-V2's shapes. peak: bytes that a step holds at most beyond cache
    and weights, expanded_predicted: its keys and values alone. absorbed_bandwidth counts the latent cache and the projections read
    once; its ceiling is that of reading, in turns with it. expanded_rate: the FLOP of expansion over the whole time.
    sweep: time against the cache's length.
    """
    device = timing.device()
    size = precision.torch_dtype(dtype).itemsize
    layer = Layer(tokens, batch, heads, head_dim, latent, rope, dtype, device)
    errors = layer.errors(LIMITS[dtype])
    reading, multiplying = timing.reading(), timing.multiplying(dtype)
    times = layer.times(reading=reading.function, multiplying=multiplying.function)
    peaks = {way: timing.peak_memory(getattr(layer, way)).bytes for way in ("absorbed", "expanded")}
    latent_bytes = batch * tokens * (latent + rope) * size
    moved = latent_bytes + 2 * heads * head_dim * latent * size
    flops = 2 * 2 * batch * tokens * latent * heads * head_dim
    del layer
    lengths = sorted({*(n for n in LENGTHS if n <= 2 * tokens), tokens})
    swept = [times if n == tokens else Layer(n, batch, heads, head_dim, latent, rope, dtype, device).times() for n in lengths]
    return {
        **{way: times[way] for way in WAYS},
        **{f"{way}_error": error for way, error in errors.items()},
        "speedup": times.ratio("expanded", "absorbed"),
        "absorbed_peak": peaks["absorbed"],
        "expanded_peak": peaks["expanded"],
        "expanded_predicted": 2 * batch * tokens * heads * head_dim * size,
        "latent_bytes": latent_bytes,
        "kept_bytes": batch * tokens * (2 * heads * head_dim + rope) * size,
        "absorbed_bandwidth": moved / times["absorbed"],
        "absorbed_of_reading": moved / reading.work * times.ratio("reading", "absorbed"),
        "expanded_rate": flops / times["expanded"],
        "expanded_of_matmul": flops / multiplying.work * times.ratio("multiplying", "expanded"),
        "read_bandwidth": reading.work / times["reading"],
        "matmul_rate": multiplying.work / times["multiplying"],
        "sweep": {"tokens": lengths, **{way: [t[way] for t in swept] for way in WAYS}},
    }


@mla_absorb.predicted
def predict(result):
    """By mla_step's roofline, in 16 bits."""
    from kernels.library.inference.mla_step import mla_step
    from kernels.library.machines._devices import DEVICES

    sizes = {name: value for name, value in result.parameters.items() if name != "dtype"}
    gpu = result.made["device_class"]
    return mla_step(**sizes, gpu=gpu)["absorbed"] if gpu in DEVICES and result.parameters["dtype"] != "fp32" else None


def needed(tokens: int, batch: int, heads: int, head_dim: int, rope: int, dtype: str) -> int:
    """Bytes: keys and values kept and those that a step expands, at the longest cache; or one sequence of them in float64."""
    longest = max([n for n in LENGTHS if n <= 2 * tokens] + [tokens])
    pair = 2 * heads * head_dim
    return max(2 * precision.torch_dtype(dtype).itemsize * batch * longest * pair, 8 * tokens * pair)


class Layer:
    """One layer's cache, projections and query, of random values: a latent of unit variance, scores that spread over some units."""

    def __init__(self, tokens: int, batch: int, heads: int, head_dim: int, latent: int, rope: int, dtype: str, device: str) -> None:
        import torch

        def random(*shape: int, scale: float = 1.0):
            return (scale * torch.randn(*shape, device=device)).to(precision.torch_dtype(dtype))

        self.cache = random(batch, tokens, latent + rope)  # c and r of a token side by side
        self.latent, self.scale = latent, (head_dim + rope) ** -0.5
        self.up_key, self.up_value = (random(heads, head_dim, latent, scale=latent**-0.5) for _ in range(2))
        self.query, self.query_rope = random(batch, heads, head_dim, scale=2.0), random(batch, heads, rope, scale=2.0)
        self.keys_and_values: tuple | None = None

    def absorbed(self):
        """[batch, heads, head_dim]; keys and values of a cached token are never made."""
        import torch

        c = self.cache[..., : self.latent]
        query = torch.bmm(self.query.transpose(0, 1), self.up_key).transpose(0, 1)  # W_UK^T q, for each head
        scores = torch.bmm(torch.cat((query, self.query_rope), -1), self.cache.transpose(1, 2))
        mixed = torch.bmm((scores * self.scale).softmax(-1, dtype=torch.promote_types(c.dtype, torch.float32)).to(c.dtype), c)
        return torch.bmm(mixed.transpose(0, 1), self.up_value.transpose(1, 2)).transpose(0, 1)

    def expand(self):
        """Keys and values of the whole cache, each [batch, heads, tokens, head_dim], sequence by sequence so that nothing is copied."""
        import torch

        (batch, tokens, _), (heads, head_dim, _) = self.cache.shape, self.up_key.shape
        keys, values = (self.cache.new_empty(batch, heads, tokens, head_dim) for _ in range(2))
        for made, up in ((keys, self.up_key), (values, self.up_value)):
            for one, c in zip(made, self.cache[..., : self.latent]):
                torch.bmm(c.expand(heads, -1, -1), up.transpose(1, 2), out=one)
        return keys, values

    def expanded(self):
        """The same result by the definition: the whole cache is up-projected for this one step."""
        return self.attend(*self.expand())

    def kept(self):
        """Plain multi-head attention on keys and values expanded before; the first call expands and keeps them."""
        if self.keys_and_values is None:
            self.keys_and_values = self.expand()
        return self.attend(*self.keys_and_values)

    def attend(self, keys, values):
        import torch

        scores = self.query[:, :, None] @ keys.transpose(-1, -2)
        scores += torch.bmm(self.query_rope, self.cache[..., self.latent :].transpose(1, 2))[:, :, None]
        p = (scores * self.scale).softmax(-1, dtype=torch.promote_types(values.dtype, torch.float32))
        return (p.to(values.dtype) @ values)[:, :, 0]

    def exact(self):
        """Float64's result by the definition, of the first sequence alone, [1, heads, head_dim]."""
        wide = Layer.__new__(Layer)
        wide.latent, wide.scale, wide.keys_and_values = self.latent, self.scale, None
        wide.cache, wide.query, wide.query_rope = (t[:1].double() for t in (self.cache, self.query, self.query_rope))
        wide.up_key, wide.up_value = self.up_key.double(), self.up_value.double()
        return wide.expanded_exactly()

    def expanded_exactly(self):
        import torch

        c, r = self.cache[..., : self.latent], self.cache[..., self.latent :]
        keys, values = (torch.einsum("btl,hdl->bhtd", c, up) for up in (self.up_key, self.up_value))
        scores = torch.einsum("bhd,bhtd->bht", self.query, keys) + torch.einsum("bhr,btr->bht", self.query_rope, r)
        return torch.einsum("bht,bhtd->bhd", (scores * self.scale).softmax(-1), values)

    def errors(self, limit: float) -> dict[str, float]:
        exact = self.exact()
        return {way: precision.error_against(exact, getattr(self, way)()[:1], limit) for way in WAYS}

    def times(self, **ceilings) -> timing.Turns:
        """Turns of a step in each way and of ceilings, launches replayed from a graph as a serving engine does."""
        self.kept()
        found = timing.in_turns(graph=True, **{way: getattr(self, way) for way in WAYS}, **ceilings)
        self.keys_and_values = None
        return found


@mla_absorb.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 230)
    names = {"absorbed": "absorbed", "expanded": "expanded\neach step", "kept": "all K, V\nkept"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=names, x_label="cached tokens", y_label="one layer's step", highlight="absorbed")
