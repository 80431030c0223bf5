"""Sums over a Zipf vocabulary, p_r proportional to r^-power: rank by rank up to 1,000, beyond by an integral of the midpoint rule."""

import bisect
import itertools
import math

EXACT = 1000


class Zipf:
    """Ranks 1 to vocab with weights r^-power; shares are of all of them."""

    def __init__(self, vocab: int, power: float) -> None:
        self.vocab, self.power = vocab, power
        self.below = list(itertools.accumulate(r**-power for r in range(1, min(vocab, EXACT) + 1)))
        self.all = self.sum(vocab)

    def sum(self, ranks: int) -> float:
        """The weights of the first `ranks`."""
        if ranks <= EXACT:
            return self.below[ranks - 1] if ranks else 0.0
        low, high, rise = EXACT + 0.5, ranks + 0.5, 1 - self.power
        wide = math.log(high / low)
        return self.below[-1] + low**rise * (math.expm1(rise * wide) / rise if rise else wide)

    def share(self, ranks: int) -> float:
        return self.sum(ranks) / self.all

    def nucleus(self, mass: float) -> int:
        """How many of the likeliest it takes to reach that mass."""
        if mass >= 1:
            return self.vocab
        wanted = mass * self.all * (1 - 1e-12)
        if wanted <= self.below[-1]:
            return bisect.bisect_left(self.below, wanted) + 1
        return bisect.bisect_left(range(self.vocab + 1), wanted, lo=EXACT, key=self.sum)

    def above(self, ratio: float) -> int:
        """How many have at least that share of the top one's probability."""
        if ratio <= 0:
            return self.vocab
        ranks = math.log(1 / ratio) / self.power  # ln of the last rank
        return self.vocab if ranks > math.log(self.vocab) else max(1, int(math.exp(ranks) * (1 + 1e-12)))

    def entropy(self, ranks: int) -> float:
        """In nats, of the first `ranks` alone: ln of their sum + power * mean of ln r."""
        logs = math.fsum(r**-self.power * math.log(r) for r in range(2, min(ranks, EXACT) + 1))
        if ranks > EXACT:  # Simpson's rule in u = ln r
            low, high, steps = math.log(EXACT + 0.5), math.log(ranks + 0.5), 64
            wide = (high - low) / steps
            for k in range(steps + 1):
                u = low + k * wide
                logs += wide / 3 * (1 if k in (0, steps) else 4 if k % 2 else 2) * math.exp((1 - self.power) * u) * u
        kept = self.sum(ranks)
        return max(0.0, math.log(kept) + self.power * logs / kept)
