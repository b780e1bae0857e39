"""Settings as the decimal numbers that the user wrote, so that a limit lies where it says.

0.29 * 100 is 28.999999999999996 in floating point, and 0.56 * 25 is 14.000000000000002: a limit
made of either is off by one.
"""

from __future__ import annotations

from fractions import Fraction


def times(number: float, count: int) -> Fraction:
    """The exact product of a decimal number, such as a share of 0.29, and a count.

    The number is taken as its shortest spelling (`repr`), which is what stands in augmlx.toml.
    """
    return Fraction(repr(number)) * count
