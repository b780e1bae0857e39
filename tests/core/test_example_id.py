"""The id of an example: what is written is read back, whatever a fact is called."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from augmlx.core.example_id import ANCHOR, ORACLE, ORIGINAL, ExampleId, parse, without_piece

NAMES = st.text(st.sampled_from("ab/~#%+0129 "), min_size=1) | st.sampled_from(
    [ORIGINAL, ORACLE, ANCHOR, "anchor/3", "a/original", "q/reversal/0", "x~2"]
)
OPERATORS = st.sampled_from(["reversal", "qa-forward", "identity-bridge"])


@given(of=NAMES, end=st.sampled_from([ORIGINAL, ORACLE, ANCHOR]))
@example(of="original", end=ANCHOR)
@example(of="anchor", end=ORIGINAL)
def test_what_no_operator_made_is_read_back(of: str, end: str) -> None:
    assert parse(str(ExampleId(of, end))) == ExampleId(of, end)


@given(of=NAMES, operator=OPERATORS, sample=st.integers(0, 99), turn=st.integers(1, 9))
@example(of="anchor", operator="reversal", sample=0, turn=1)
def test_what_an_operator_made_is_read_back(of: str, operator: str, sample: int, turn: int) -> None:
    made = ExampleId(of, operator, sample, turn)
    assert parse(str(made)) == made
    assert parse(str(made)).group == f"{of}/{operator}"


@given(of=NAMES, piece=st.integers(1, 40), end=st.sampled_from([ORIGINAL, ANCHOR]))
def test_a_piece_of_a_row_is_of_its_example(of: str, piece: int, end: str) -> None:
    name = str(ExampleId(of, end))
    assert without_piece(f"{name}#{piece}") == name == without_piece(name)
    assert without_piece(f"{name}#{piece}#2") == name


@pytest.mark.parametrize(
    ("text", "original", "unknown"),
    [
        ("anchor/original", True, False),  # of a fact called "anchor"
        ("anchor/reversal/0", False, False),
        ("anchor/3", False, False),
        ("unknown/3", False, True),
        ("unknown/original", True, False),
        ("a/b/original", True, False),
        ("mine", False, False),  # a row that the user has added
        ("", False, False),
    ],
)
def test_facts_of_unhappy_names_are_not_miscounted(
    text: str, original: bool, unknown: bool
) -> None:
    of = parse(text)
    assert (of.is_original, of.is_unknown) == (original, unknown)
