"""What cannot hold together, against small worlds, and without comparing all pairs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.english.logic import Claims, Form, contradicts, parse
from augmlx.english.logic.contradiction import claims, differ
from tests.english.logic import worlds
from tests.english.logic.test_rules import STATEMENTS, read
from tests.english.logic.worlds import NONEMPTY, holds


def test_categorical_statements_contradict_where_no_world_has_both() -> None:
    """Of worlds in which there is something of each kind."""
    pairs = [(a, b) for a in STATEMENTS for b in STATEMENTS]
    possible = {form: {world for world in NONEMPTY if holds(form, world)} for form in STATEMENTS}
    wrong = [(a, b) for a, b in pairs if contradicts(a, b) == bool(possible[a] & possible[b])]
    assert not wrong
    assert 0 < sum(contradicts(a, b) for a, b in pairs) < len(pairs)


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("Ana is older than Ben.", "Ben is older than Ana.", True),
        ("Ana is older than Ben.", "Ana is younger than Ben.", True),
        ("Ana is older than Ben.", "Ben is younger than Ana.", False),
        ("Ana is older than Ben.", "Ben is richer than Ana.", False),
        ("Ana is taller than Ben.", "Ben is longer than Ana.", False),
        ("The siege was before the flood.", "The flood preceded the siege.", True),
        ("The siege was before the flood.", "The feast was before the siege.", False),
        ("Orm is in Tal.", "Tal lies in Orm.", True),
        ("The cog is part of the clock.", "The cog contains the clock.", True),
        ("Orm is in Tal.", "Orm is in Pell.", False),
        ("Rex is a wug.", "Rex is not a wug.", True),
        ("Rex is a wug.", "Rex is a dax.", False),
        ("Rex is a wug.", "Pim is not a wug.", False),
        ("The head of the Lab is Mara.", "Omar is the head of the Lab.", True),
        ("The head of the Lab is Mara Lind.", "Omar Lind is the head of the Lab.", True),
        ("The head of the Lab is Mara.", "Mara Voss is the head of the Lab.", False),
        ("The head of the Lab is Dr. Voss.", "Mara Voss is the head of the Lab.", False),
        ("The head of the Lab is Mara.", "Omar is a head of the Lab.", False),
        ("The head of the Lab is Mara.", "Omar is the head of the Mill.", False),
        ("Omar is the son of Mara.", "Ivo is the son of Mara.", False),
        ("The emblem of Orm is the Heron.", "The emblem of Orm is the Tern.", False),
        ("The members of Zorb are Ana and Ben.", "The members of Zorb are Ben and Cleo.", True),
        ("The members of Zorb are Ana and Ben.", "The members of Pell are Ben and Cleo.", False),
        ("If the lamp is on, the door is open.", "If the lamp is on, the door is not open.", False),
    ],
)
def test_pairs_that_clash(one: str, other: str, clash: bool) -> None:
    assert contradicts(read(one), read(other)) == contradicts(read(other), read(one)) == clash


@given(worlds.anything)
def test_nothing_contradicts_itself(form: Form) -> None:
    assert not contradicts(form, form)


@given(st.lists(worlds.anything, max_size=12), worlds.anything)
def test_a_set_of_claims_finds_what_pairwise_comparison_finds(
    known: list[Form], form: Form
) -> None:
    found = list(Claims(known).against(form))
    clashing = [place for place, other in enumerate(known) if contradicts(other, form)]
    assert set(found) <= set(clashing)
    assert bool(found) == bool(clashing) == Claims(known).deny(form)
    assert found[:1] == clashing[:1]


def test_asking_among_many_claims_looks_at_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work of one question does not grow with the number of statements."""
    compared = []

    def counted(one: frozenset[str], other: frozenset[str]) -> bool:
        compared.append(one)
        return differ(one, other)

    many = Claims(form for n in range(5000) if (form := parse(f"Rex{n} is a wug.")))
    monkeypatch.setattr("augmlx.english.logic.contradiction.differ", counted)
    assert many.deny(read("Rex4999 is not a wug."))
    assert len(compared) == len(claims(read("Rex4999 is not a wug.")))
