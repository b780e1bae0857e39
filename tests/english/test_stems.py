"""Which words share a stem, and which do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.english.stems import stem

SAME_STEM = """design designed designer designs
write wrote written writer writing
head heads headed
lead leads led leader
order orders ordered
use uses used user using
carry carries carried carrier
heavy heavier
large larger
agree agrees agreed
class classes
discover discovers discovered discoverer
plan plans planned planner
study studies studied
found finds found
own owns owned owner
teach taught teacher
die dies died"""


@pytest.mark.parametrize("row", SAME_STEM.splitlines())
def test_forms_of_a_word_share_a_stem(row: str) -> None:
    assert len({stem(word) for word in row.split()}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("employee", "employer"), ("founded", "found"), ("mother", "month"), ("before", "after")],
)
def test_other_words_do_not(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@given(st.text(max_size=30))
def test_a_stem_is_its_own_stem_and_never_empties_a_word(word: str) -> None:
    found = stem(word)
    assert (
        bool(found) == bool(word.casefold().removesuffix("s").removesuffix("'").removesuffix("’"))
        or found
    )
