"""The path of one request through a recommender, span after span, and what a change of one span leaves.

    total = network + max(retrieval, other) + ceil(calls / width) * each + codec + queue + ranking / faster

Two candidate sources run beside each other, feature calls in groups of `width` at once; all else one after another. A span that is not on the
longest way through can shrink without effect (critical path: Kelley and Walker 1959, Critical-path planning and scheduling). Means of one example,
no randomness.
"""

import math
from typing import Annotated

from kernels import Bound, kernel

Seconds = Annotated[float, Bound("s", low=0.0, high=100.0)]


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("total", "sources", "features", "ranked", "floor", "before", "saved"), "s"),
        "ranking_share": "",
        "speedup": "",
    },
)
def request_path(
    network: Seconds = 0.02,
    retrieval: Seconds = 0.11,
    other: Seconds = 0.07,
    calls: Annotated[int, Bound(low=0, high=100_000)] = 28,
    each: Seconds = 0.005,
    width: Annotated[int, Bound(low=1, high=100_000)] = 1,
    codec: Seconds = 0.03,
    queue: Seconds = 0.02,
    ranking: Seconds = 0.08,
    faster: Annotated[float, Bound(low=1.0, high=1e9)] = 1.0,
):
    """The latency of a request, span by span, and of the ranking model's part in it.

    sources: the longer of both candidate sources. features: of all calls. ranked: ranking at its speed-up. floor: the total were ranking to take no
    time. before: with calls one by one and ranking as it was; saved, speedup: against that.
    """
    sources, features, ranked = max(retrieval, other), math.ceil(calls / width) * each, ranking / faster
    rest = network + sources + codec + queue
    before = rest + calls * each + ranking
    total = rest + features + ranked
    return {
        "total": total,
        "sources": sources,
        "features": features,
        "ranked": ranked,
        "floor": total - ranked,
        "before": before,
        "saved": before - total,
        "ranking_share": ranking / before if before else 0.0,
        "speedup": before / total if total else 1.0,
    }


@request_path.figure
def draw(result, ax):
    """A waterfall: each span where it lies in the request."""
    from matplotlib.patches import Rectangle

    from kernels import plot

    p = result.parameters
    spans, at = [("network", 0.0, p["network"])], p["network"]
    spans += [("candidates A", at, p["retrieval"]), ("candidates B", at, p["other"])]
    at += result["sources"]
    for name, took in (("features", result["features"]), ("codec", p["codec"]), ("queue", p["queue"]), ("ranking", result["ranked"])):
        spans.append((name, at, took))
        at += took
    left, high = 86.0, 22
    px = (plot.WIDTH - 4 - left - 44) / max(at, 1e-9)
    plot.height(ax, high * len(spans) + 8)
    ax.axis("off")
    ax.set_xlim(0, plot.WIDTH)
    ax.set_ylim(high * len(spans) + 8, 0)
    ax.set_position([0, 0, 1, 1])
    vars(ax.figure)["exact"] = True
    for row, (name, start, took) in enumerate(spans):
        top = 4 + row * high
        fill = plot.ACCENT if name == "ranking" else plot.SKY
        ax.add_patch(Rectangle((left + start * px, top), max(took * px, 1.5), high - 6, facecolor=fill, linewidth=0))
        ax.text(left - 8, top + 12.5, name, ha="right", color=plot.INK, fontsize=plot.SMALL)
        ax.text(left + (start + took) * px + 5, top + 12.5, plot.show(took, "s"), ha="left", color=plot.INK, fontsize=plot.SMALL)
    listed = ", ".join(f"{name} {plot.show(took, 's')} from {plot.show(start, 's') if start else '0'}" for name, start, took in spans)
    return f"A request's spans as a waterfall: {listed}. The last ends at {plot.show(at, 's')}."
