"""How many of what, in messages."""

from __future__ import annotations

from augmlx.core.counting import counted, noun_of


def test_a_noun_and_its_verb_go_with_their_count() -> None:
    assert counted(1, "row") == "1 row"
    assert counted(0, "row") == "0 rows"
    assert counted(1204, "chat row") == "1,204 chat rows"
    assert counted(1, "question", "stands") == "1 question stands"
    assert counted(2, "question", "stands") == "2 questions stand"
    assert [noun_of(count, "seed") for count in (1, 3)] == ["seed", "seeds"]
