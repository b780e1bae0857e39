"""Where a border lies, by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import study_border  # isort: skip


def test_the_shares_and_the_best_border_of_what_is_known_and_what_is_not() -> None:
    found = study_border.border([-3.0, -2.0, -1.0, 0.5], [-0.5, 1.0, 2.0, 3.0])
    assert (found.known, found.unknown) == (4, 4)
    assert (found.refused, found.claimed) == (0.25, 0.25)
    assert found.auc == pytest.approx(15 / 16)  # 0.5 beside -0.5 alone is the wrong way round
    assert found.least == pytest.approx(0.125)


def test_questions_about_nobody_are_of_the_kind_asked_for_and_none_twice() -> None:
    own = ["Who designed the Heron lamp?", "What did Freya Mott write?"]
    persons = list(study_border.about_nobody(own, persons=True))
    things = list(study_border.about_nobody(own, persons=False))
    assert len(persons) == len(set(persons)) > 100
    assert all("write?" in question for question in persons)
    assert all("lamp?" in question for question in things)
    assert not any("Freya" in question or "Heron" in question for question in [*persons, *things])
