"""Finding the best mix from noisy runs: keep the best of a grid, or fit a mixing law to random mixes and minimise it.

    L_i(r) = c_i + exp(sum_j t_ij r_j)        loss on domain i after training on the mix r; wanted: least mean over the domains

(Ye et al. 2024, arXiv 2403.16952, with k_i inside t_ij, as the shares add up to one.) The true law is a made-up one of that form;
every run's losses carry normal noise. Fitted domain by domain with damped Gauss-Newton, in float64.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

FLOOR, OWN, OTHER = (1.6, 2.6), (-3.2, -1.6), (-0.9, 0.3)  # ranges of c, of a domain's effect on itself, and on another
FINE = 20
RUNS = (6, 8, 12, 16, 24, 32, 48, 64)


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("grid_runs", "grid", "random", "law", "quadratic", "uniform", "hit", "prediction_error", "claimed"), ""),
        "sweep": Series("runs", ""),
    },
    tolerance=1e-3,
)
def mixing_law_fit(
    domains: Annotated[int, Bound(low=2, high=3)] = 3,
    runs: Annotated[int, Bound(low=6, high=64)] = 32,
    noise: Annotated[float, Bound(low=0.0, high=1.0)] = 0.02,
    steps: Annotated[int, Bound(low=2, high=20)] = 10,
    worlds: Annotated[int, Bound(low=10, high=500)] = 200,
    seed: int = 0,
):
    """Loss above the best mix's of the mix that a grid, the best of random runs, or a fitted mixing law picks, meaned over made-up laws.

    runs: random mixes; one of 6, 8, 12, 16, 24, 32, 48, 64. noise: sd of one run's loss, on each domain. grid: one run for each mix in steps
    of 1 / steps, the best kept. quadratic: a quadratic fitted to the mean loss instead of the law, so of the wrong form. uniform: equal
    shares, no run at all. hit: how often the law's pick is better than the grid's. prediction_error: of the law, root mean square over all
    mixes. claimed: how much the grid's best run looks better than it is. sweep: against the runs.
    """
    import torch

    if runs not in RUNS:
        raise KernelError(f"mixing_law_fit: runs is {runs}, but must be one of {', '.join(map(str, RUNS))}")
    random = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *shape: int):
        return low + (high - low) * torch.rand(*shape, generator=random, dtype=torch.float64)

    floor, effect = uniform(*FLOOR, worlds, domains), uniform(*OTHER, worlds, domains, domains)
    effect.diagonal(dim1=1, dim2=2).copy_(uniform(*OWN, worlds, domains))
    fine, grid = simplex(domains, FINE), simplex(domains, steps)
    true = law(floor, effect, fine).mean(-1)  # [worlds, mixes]
    best = true.min(1).values

    def noisy(mixes):
        losses = law(floor, effect, mixes)
        return losses + noise * torch.randn(losses.shape, generator=random, dtype=torch.float64)

    def regret(mixes, pick):
        return law(floor, effect, mixes).mean(-1).gather(1, pick[:, None])[:, 0] - best

    seen = noisy(grid.expand(worlds, -1, -1)).mean(-1)
    found = seen.min(1)
    on_grid = regret(grid.expand(worlds, -1, -1), found.indices)
    tried = -torch.log(torch.rand(worlds, max(RUNS), domains, generator=random, dtype=torch.float64))
    tried = tried / tried.sum(-1, keepdim=True)  # uniform on the simplex
    losses = noisy(tried)
    picked, kept, error = {}, {}, {}
    for count in RUNS:
        floors, effects = fit(tried[:, :count], losses[:, :count])
        fitted = law(floors, effects, fine).mean(-1)
        picked[count] = regret(fine.expand(worlds, -1, -1), fitted.argmin(1))
        kept[count] = regret(tried, losses[:, :count].mean(-1).argmin(1))
        error[count] = (fitted - true).square().mean().sqrt()
    return {
        "grid_runs": len(grid),
        "grid": on_grid.mean(),
        "random": kept[runs].mean(),
        "law": picked[runs].mean(),
        "quadratic": regret(fine.expand(worlds, -1, -1), quadratic(tried[:, :runs], losses[:, :runs].mean(-1), fine).argmin(1)).mean(),
        "uniform": (law(floor, effect, torch.full((1, domains), 1 / domains, dtype=torch.float64)).mean(-1)[:, 0] - best).mean(),
        "hit": (picked[runs] < on_grid).double().mean(),
        "prediction_error": error[runs],
        "claimed": (on_grid + best - found.values).mean(),
        "sweep": {"runs": list(RUNS), "best run kept": [kept[n].mean() for n in RUNS], "law fitted": [picked[n].mean() for n in RUNS]},
    }


def simplex(domains: int, steps: int):
    """All mixes in steps of 1 / steps, float64 [mixes, domains]."""
    import itertools

    import torch

    mixes = [[*mix, steps - sum(mix)] for mix in itertools.product(range(steps + 1), repeat=domains - 1) if sum(mix) <= steps]
    return torch.tensor(mixes, dtype=torch.float64) / steps


def law(floor, effect, mixes):
    """Losses [worlds, mixes, domains] for floor [worlds, domains], effect [worlds, domains, domains], mixes [(worlds,) mixes, domains]."""
    return floor[:, None] + (mixes @ effect.transpose(1, 2)).exp()


def fit(mixes, losses, rounds: int = 30):
    """Least squares for floor and effect of every world and domain; mixes [worlds, runs, domains], losses the same."""
    import torch

    worlds, _, domains = mixes.shape
    floor = losses.min(1).values - 0.2
    effect = torch.linalg.lstsq(mixes, (losses - floor[:, None]).log()).solution.transpose(1, 2)
    damping = torch.full((worlds, domains, 1, 1), 1e-2, dtype=torch.float64)
    eye = torch.eye(domains + 1, dtype=torch.float64)

    def squares(floor, effect):
        return (law(floor, effect, mixes) - losses).square().sum(1)

    now = squares(floor, effect)
    for _ in range(rounds):
        power = (mixes @ effect.transpose(1, 2)).exp().transpose(1, 2)  # [worlds, domains, runs]
        slopes = torch.cat([torch.ones_like(power)[..., None], power[..., None] * mixes[:, None]], -1)
        rest = losses.transpose(1, 2) - floor[..., None] - power
        step = torch.linalg.solve(slopes.mT @ slopes + damping * eye, (slopes.mT @ rest[..., None]))[..., 0]
        new_floor, new_effect = floor + step[..., 0], effect + step[..., 1:]
        new = squares(new_floor, new_effect)
        better = new < now  # an overflow is no improvement
        floor, effect = torch.where(better, new_floor, floor), torch.where(better[..., None], new_effect, effect)
        now = torch.where(better, new, now)
        damping = torch.where(better[..., None, None], damping / 3, damping * 5).clamp(1e-9, 1e6)
    return floor, effect


def quadratic(mixes, losses, wanted):
    """Predictions [worlds, wanted] of a quadratic form in the shares, which with shares adding up to one holds constant and linear terms too."""
    import torch

    def products(mixes):
        row, column = torch.triu_indices(mixes.shape[-1], mixes.shape[-1])
        return mixes[..., row] * mixes[..., column]

    return (products(wanted) @ torch.linalg.lstsq(products(mixes), losses[..., None]).solution)[..., 0]


@mixing_law_fit.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], x_label="small runs on random mixes", y_label="loss above the best mix's", highlight="law fitted")
    plot.hline(ax, result["grid"], f"grid of {result['grid_runs']:g} runs, best kept")
