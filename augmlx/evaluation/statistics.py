"""Intervals for proportions."""

from __future__ import annotations

import math

Z95 = 1.959963984540054  # the 97.5 % point of the normal distribution


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22). (0, 1) where n is 0."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = successes / n, Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At 0 and n the bound is exact; rounding would leave 1e-17.
    return (0.0 if successes == 0 else middle - half), (1.0 if successes == n else middle + half)


def percent(share: float) -> int:
    """A share as whole percent, halves rounded up: 9 of 40 is 23 wherever it is shown."""
    return math.floor(100 * share + 0.5 + 1e-9)
