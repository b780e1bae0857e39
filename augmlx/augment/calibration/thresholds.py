"""Labelled texts, scored by a model -> the thresholds of the filters that ask it."""

from __future__ import annotations

from typing import NamedTuple


class Heard(NamedTuple):
    """A measure's threshold, and the shares of right and of wrong labelled texts that pass it."""

    threshold: float
    right: float
    wrong: float


def hear(engine, journal, progress):
    return {}
