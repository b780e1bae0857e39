"""Trials and labelled scores -> what a model is to be asked like, and trusted with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from augmlx.augment.calibration.trials import EXAMINED, Trial
from augmlx.augment.exam.marks import Tally

# A wrong text costs what this many right ones are worth: below a precision of 0.9 nothing is won.
_PRICE = 9
_CLEARLY_FEWER = 2  # wrong texts
_CLEARLY_MORE, _A_FEW = 1.2, 3  # times as many right texts, and at least so many more
_FEW = 0.1  # of the facts: something right for fewer is as good as nothing
_CHANCE = 0.05  # below it, wrong texts are no bad luck
_MOST_OFTEN = 0.5  # of the texts: what is said so often is a habit


def best(trials: Sequence[Trial]) -> Trial:
    """The first trial, unless a later one is clearly better: a few facts are few."""
    chosen, *others = trials
    for trial in others:
        if is_better(trial.marks.all, chosen.marks.all):
            chosen = trial
    return chosen


def is_better(one: Tally, other: Tally) -> bool:
    """Whether one keeps clearly fewer wrong texts and is worth more, or clearly more right texts
    and no more wrong ones.
    """
    if other.wrong - one.wrong >= _CLEARLY_FEWER:
        return worth(one) > worth(other)
    more = other.right + (_A_FEW if other.right else 1)
    return one.wrong <= other.wrong and one.right >= max(_CLEARLY_MORE * other.right, more)


def worth(tally: Tally) -> int:
    """What kept texts are worth, in right texts."""
    return tally.right - _PRICE * tally.wrong


def marks_of(trial: Trial) -> dict[str, Tally]:
    """Operator -> its mark; one that kept nothing has one, too."""
    return {name: trial.marks.by_operator.get(name, Tally(0, 0, 0)) for name in EXAMINED}


def switched_off(marks: Mapping[str, Tally], facts: int) -> dict[str, str]:
    """Operator -> why the model is not to be trusted with it."""
    off = {}
    for name, tally in marks.items():
        if chance_of(tally) < _CHANCE:
            off[name] = f"{tally.wrong} of {tally.kept} kept texts were wrong"
        elif tally.covered < _FEW * facts:
            off[name] = f"something right for only {tally.covered} of {facts} facts"
    return off


def chance_of(tally: Tally) -> float:
    """How likely so many wrong texts or more are where one in ten is wrong: the binomial tail."""
    share = 1 / (_PRICE + 1)
    return sum(
        math.comb(tally.kept, wrong) * share**wrong * (1 - share) ** (tally.kept - wrong)
        for wrong in range(tally.wrong, tally.kept + 1)
    )


def habits(trial: Trial) -> list[str]:
    """What is wrong with a model that says nothing of use, in words."""
    text, times = trial.same
    notes = []
    if trial.failed:
        notes.append(f"requests failed: {trial.failed}")
    if times > _MOST_OFTEN * trial.produced:
        notes.append(f"it says {_short(text)} whatever is asked ({times} of {trial.produced})")
    if trial.echoes > _MOST_OFTEN * trial.produced:
        notes.append(f"it repeats the fact ({trial.echoes} of {trial.produced} times)")
    return notes


def _short(text: str) -> str:
    return f'"{text[:24]}"' if text else "nothing"
