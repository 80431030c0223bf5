"""What searching the data mix costs: a grid of proxy models on the simplex, against a regression on random mixes, against the target's own run.

    mixes of K domains in steps of 1/m:  C(m + K - 1, K - 1)        FLOP of a run:  6 N D

The count is "stars and bars"; 6 N D is Kaplan et al. 2020, arXiv 2001.08361, section 2.1, where N are the weights that multiply every token: those of
the blocks and of the output head, but not the input embedding, which is looked up. In a tiny model with a whole vocabulary the head is nearly all.

The regression's defaults are RegMix's (Liu et al. 2024, arXiv 2407.01492): 512 models "of 1M parameters" on 1B tokens each. Its configuration
tinyllama_1M (github.com/sail-sg/regmix, model_training/lit_gpt/config.py at 1209865, opened on 28 November 2026) has 2 layers of width 256 with an
MLP of 512 and 50,432 words. Attention's scores, 7 % more for 2,048 tokens, are left out.
"""

import math
from typing import Annotated

from kernels import Bound, Free, KernelError, kernel

LAYERS, WIDTH, FFN, WORDS = 2, 256, 512, 50_432  # RegMix's proxies
BLOCKS, HEAD = LAYERS * (4 * WIDTH**2 + 3 * WIDTH * FFN), WIDTH * WORDS


@kernel(
    kind="formula",
    outputs={
        "mixes": "",
        "inner_mixes": "",
        "ordered": "",
        "run": "FLOP",
        "run_time": "s",
        "grid": "FLOP",
        "grid_time": "s",
        "proxies": "FLOP",
        "head_share": "",
        "target": "FLOP",
        "target_time": "s",
        "grid_of_target": "",
        "proxies_of_target": "",
        "proxies_of_run": "",
    },
)
def mixture_search(
    domains: Annotated[int, Bound(low=2, high=30)] = 7,
    steps: Annotated[int, Bound(low=1, high=100), Free(5, 20)] = 10,
    parameters: Annotated[int, Bound(low=1)] = 1_000_000_000,
    tokens: Annotated[int, Bound("token", low=1)] = 20_000_000_000,
    proxy_runs: Annotated[int, Bound(low=1)] = 512,
    proxy_blocks: Annotated[int, Bound(low=1)] = BLOCKS,
    proxy_head: Annotated[int, Bound(low=0)] = HEAD,
    proxy_tokens: Annotated[int, Bound("token", low=1)] = 1_000_000_000,
    target_parameters: Annotated[int, Bound(low=1)] = 100_000_000_000,
    target_tokens: Annotated[int, Bound("token", low=1)] = 2_000_000_000_000,
    rate: Annotated[float, Bound("FLOP/s", low=1.0)] = 4e14,
):
    """Mixes on a grid of the simplex, and the compute of grid, random proxies and target run; times on one GPU of the given rate.

    steps: grid steps from 0 to 1 (10: multiples of 10 %); a search may be coarser or finer, so free from fifths to twentieths. inner_mixes: those
    in which every domain occurs. ordered: (steps + 1)^domains, the count where the shares need not add up to one. parameters: of the grid's model,
    output head included; proxy_blocks, proxy_head: a proxy's. head_share: of a proxy's FLOP. *_of_target: as a share of the target's run;
    proxies_of_run: against one run of the grid.
    """
    if steps < domains and steps == 1:
        raise KernelError("mixture_search: steps is 1, so every mix is a single domain, but steps must be at least 2")
    mixes = count(domains, steps)
    run = 6 * parameters * tokens
    grid, proxies, target = mixes * run, proxy_runs * 6 * (proxy_blocks + proxy_head) * proxy_tokens, 6 * target_parameters * target_tokens
    return {
        "mixes": mixes,
        "inner_mixes": count(domains, steps - domains) if steps >= domains else 0,
        "ordered": (steps + 1) ** domains,
        "run": run,
        "run_time": run / rate,
        "grid": grid,
        "grid_time": grid / rate,
        "proxies": proxies,
        "head_share": proxy_head / (proxy_blocks + proxy_head),
        "target": target,
        "target_time": target / rate,
        "grid_of_target": grid / target,
        "proxies_of_target": proxies / target,
        "proxies_of_run": proxies / run,
    }


def count(domains: int, steps: int) -> int:
    return math.comb(steps + domains - 1, domains - 1)


@mixture_search.figure
def draw(result, ax):
    from kernels import plot

    plot.bars(
        ax,
        {"target run": 1.0, "grid": result["grid_of_target"], f"{result.parameters['proxy_runs']} proxies": result["proxies_of_target"]},
        "percent",
        highlight="grid",
    )
