"""Finding the best mix from noisy runs: keep the best of a grid, or fit a mixing law to random mixes and minimise it.

    L_i(r) = c_i + exp(sum_j t_ij r_j)        loss on domain i after training on the mix r; wanted: least mean over the domains

(Ye et al. 2024, arXiv 2403.16952, with k_i inside t_ij, as the shares add up to one.) Fitted domain by domain with damped Gauss-Newton, in float64.

One draw is one search: a made-up truth, its runs with normal noise, and what each method picks. The truth has the fitted form, or another,

    L_i(r) = c_i + a_i u_i^(-b_i),  u_i = r_i + sum_j s_ij r_j (j not i)

a power of the share that works for domain i, to which other domains add a part of theirs.
"""

from typing import Annotated, Literal

from kernels import Bound, Free, KernelError, Series, kernel

FLOOR, OWN, OTHER = (1.6, 2.6), (-3.2, -1.6), (-0.9, 0.3)  # ranges of c, of a domain's effect on itself, and on another
SIZE, POWER, SHARED = (0.2, 0.6), (0.2, 0.5), (0.02, 0.3)  # ranges of a, b and s
FINE = 20
RUNS = (6, 8, 12, 16, 24, 32, 48, 64)


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("grid_runs", "grid", "random", "law", "quadratic", "uniform", "prediction_error", "claimed", "law_wins"), ""),
        "sweep": Series("runs", ""),
    },
    draws=192,
    tolerance=1e-3,
)
def mixing_law_fit(
    domains: Annotated[int, Bound(low=2, high=3)] = 3,
    runs: Annotated[int, Bound(low=6, high=64)] = 32,
    noise: Annotated[float, Bound(low=0.0, high=1.0), Free(0.005, 0.05)] = 0.02,
    truth: Annotated[Literal["exponential", "power"], Free("exponential", "power")] = "exponential",
    steps: Annotated[int, Bound(low=2, high=20)] = 10,
    seed: int = 0,
):
    """Loss above the best mix's of the mix that a grid, the best of random runs, or a fitted mixing law picks.

    runs: random mixes; one of 6, 8, 12, 16, 24, 32, 48, 64. grid: one run for each mix in steps of 1 / steps, the best kept. quadratic: a quadratic
    fitted to the mean loss instead of the law. uniform: equal shares, no run at all. law_wins: 1 where the law's pick is better than the best run.
    prediction_error: of the law, root mean square over all mixes. claimed: how much better the grid's best run looks than it is. sweep: over runs.

    noise: sd of one run's loss, on each domain; seeds of small runs spread by a few thousandths to a few hundredths of a nat, so it is free between
    these. truth: nobody knows the true law's form, so it is free: the fitted one, or a power of the shares.
    """
    import torch

    if runs not in RUNS:
        raise KernelError(f"mixing_law_fit: runs is {runs}, but must be one of {', '.join(map(str, RUNS))}")
    random = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *shape: int):
        return low + (high - low) * torch.rand(*shape, generator=random, dtype=torch.float64)

    floor = uniform(*FLOOR, 1, domains)
    if truth == "exponential":
        effect = uniform(*OTHER, 1, domains, domains)
        effect.diagonal(dim1=1, dim2=2).copy_(uniform(*OWN, 1, domains))

        def losses_of(mixes):
            return law(floor, effect, mixes)
    else:
        size, exponent, shared = uniform(*SIZE, 1, domains), uniform(*POWER, 1, domains), uniform(*SHARED, 1, domains, domains)
        shared.diagonal(dim1=1, dim2=2).fill_(1.0)

        def losses_of(mixes):
            return power_law(floor, size, exponent, shared, mixes)

    fine, grid = simplex(domains, FINE), simplex(domains, steps)
    true = losses_of(fine).mean(-1)  # [1, mixes]

    def noisy(mixes):
        losses = losses_of(mixes)
        return losses + noise * torch.randn(losses.shape, generator=random, dtype=torch.float64)

    def regret(mixes, pick):
        return (losses_of(mixes).mean(-1)[0, pick[0]] - best).item()

    found = noisy(grid[None]).mean(-1).min(1)
    tried = -torch.log(torch.rand(1, max(RUNS), domains, generator=random, dtype=torch.float64))
    tried = tried / tried.sum(-1, keepdim=True)  # uniform on the simplex
    losses = noisy(tried)
    equal = torch.full((1, domains), 1 / domains, dtype=torch.float64)
    best = min(losses_of(mixes).mean(-1).min().item() for mixes in (fine, grid, tried, equal))  # of all mixes that may be picked
    on_grid = regret(grid[None], found.indices)
    picked, kept, error = {}, {}, {}
    for count in RUNS:
        floors, effects = fit(tried[:, :count], losses[:, :count])
        fitted = law(floors, effects, fine).mean(-1)
        picked[count] = regret(fine[None], fitted.argmin(1))
        kept[count] = regret(tried, losses[:, :count].mean(-1).argmin(1))
        error[count] = (fitted - true).square().mean().sqrt()
    if not error[runs].isfinite():
        raise KernelError(f"mixing_law_fit: the law fitted to {runs} runs overflows: noise has to be lower, or runs more")
    return {
        "grid_runs": len(grid),
        "grid": on_grid,
        "random": kept[runs],
        "law": picked[runs],
        "quadratic": regret(fine[None], quadratic(tried[:, :runs], losses[:, :runs].mean(-1), fine).argmin(1)),
        "uniform": losses_of(equal).mean().item() - best,
        "prediction_error": error[runs],
        "claimed": on_grid + best - found.values.item(),
        "law_wins": float(picked[runs] < kept[runs]),
        "sweep": {"runs": list(RUNS), "best run kept": [kept[n] for n in RUNS], "law fitted": [picked[n] for n in RUNS]},
    }


@mixing_law_fit.invariant
def no_pick_beats_the_best_mix(result):
    """Whatever is picked is no better than the best mix."""
    return all(result[name] >= -1e-12 for name in ("grid", "random", "law", "quadratic", "uniform"))


@mixing_law_fit.invariant
def the_grid_is_counted_by_stars_and_bars(result):
    """The grid holds C(steps + domains - 1, domains - 1) mixes."""
    import math

    domains, steps = result.parameters["domains"], result.parameters["steps"]
    return result["grid_runs"] == math.comb(steps + domains - 1, domains - 1)


def simplex(domains: int, steps: int):
    """All mixes in steps of 1 / steps, float64 [mixes, domains]."""
    import itertools

    import torch

    mixes = [[*mix, steps - sum(mix)] for mix in itertools.product(range(steps + 1), repeat=domains - 1) if sum(mix) <= steps]
    return torch.tensor(mixes, dtype=torch.float64) / steps


def law(floor, effect, mixes):
    """Losses [worlds, mixes, domains] for floor [worlds, domains], effect [worlds, domains, domains], mixes [(worlds,) mixes, domains]."""
    return floor[:, None] + (mixes @ effect.transpose(1, 2)).exp()


def power_law(floor, size, exponent, shared, mixes):
    """The same for a power of the share that works for a domain: shared [worlds, domains, domains] is 1 on its diagonal."""
    return floor[:, None] + size[:, None] * (mixes @ shared.transpose(1, 2)) ** -exponent[:, None]


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
