"""Intervals for proportions and for means of what was measured in clusters; the test of a paired
difference.

scipy and statsmodels have them too, but are not installed with augmlx: each is a few lines, and
the tests hold these to scipy's. What neither has is kept apart here: a bootstrap over clusters that
refuses to conclude from a handful of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

Z95 = 1.959963984540054  # the 97.5 % point of the normal distribution
# Of fewer clusters nothing is concluded: five that all agree have p = 2 / 2**5 = 0.06 in an exact
# sign test, yet any resample of them agrees too, so that the bootstrap would be certain.
LEAST_CLUSTERS = 6


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22). (0, 1)
    where n is 0.
    """
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    z2 = Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At 0 and n the bound is exact; rounding would leave 1e-17.
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == n else middle + half
    return low, high


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p-value of McNemar's exact test (McNemar 1947, Psychometrika 12): how likely
    two equal arms are to differ this much. Of the items that only one of the two answered, each is
    as likely to be either's. 1 where there are none.
    """
    n = only_first + only_second
    fewer = min(only_first, only_second)
    if 2 * fewer == n:
        return 1.0
    # Integers, so it is exact at any n. Each binomial comes of the one before: math.comb would make
    # each anew, which is as fast for a hundred items and takes seconds instead of milliseconds for
    # some thousands.
    ways = tail = 1
    for k in range(1, fewer + 1):
        ways = ways * (n - k + 1) // k
        tail += ways
    return 2 * tail / (1 << n)


def bootstrap(
    values_by_cluster: Sequence[Sequence[float]],
    *,
    seed: int | str,
    within: tuple[float, float] = (-1.0, 1.0),
    resamples: int = 2000,
) -> tuple[float, float]:
    """The 95 % percentile interval of the mean of all values (Efron and Tibshirani 1993, chapter
    13), where whole clusters are drawn again: the items of one fact are no independent trials.

    Args:
        values_by_cluster: the values of each cluster; clusters may differ in size, and empty ones
            do not count.
        within: what the mean of any values can be: for differences of shares, -1 to 1.

    Returns `within` where there are fewer than LEAST_CLUSTERS clusters, and the mean twice where
    all clusters have the same: no resample has another then.
    """
    # Sum and size as one complex number: drawing and adding them up is then one call each, ten
    # times as fast as a loop.
    cells = [complex(math.fsum(values), len(values)) for values in values_by_cluster if values]
    if len(cells) < LEAST_CLUSTERS:
        return within
    rng = Random(f"{seed}:bootstrap")
    totals = (sum(rng.choices(cells, k=len(cells))) for _ in range(resamples))
    means = sorted(total.real / total.imag for total in totals)
    return _quantile(means, 0.025), _quantile(means, 0.975)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Between the two values that stand nearest, in proportion: numpy's default."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    step = ordered[above] - ordered[below]
    return ordered[below] + (place - below) * step


def percent(share: float) -> int:
    """A share as whole percent, halves rounded up: 9 of 40 is 23 wherever it is shown."""
    return math.floor(100 * share + 0.5 + 1e-9)
