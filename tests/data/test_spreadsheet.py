"""A CSV of examples that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.core.records import Example, Fact, Origin, original
from augmlx.data.facts import read_facts
from augmlx.data.spreadsheet import write_csv


def example(text: str) -> Example:
    return Example("f1/reversal/0", text, Origin(("f1",), "reversal", "mlx", "m", 0, 0, ""))


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@given(
    st.lists(
        st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
            min_size=1,
            max_size=30,
        ),
        max_size=6,
    )
)
@settings(max_examples=100, deadline=None)
def test_the_csv_reads_back_and_no_cell_is_a_formula(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "augmented.csv"
    write_csv(path, [example(text) for text in texts])
    rows = cells(path)
    assert [
        row["fact"].removeprefix("'") if row["fact"] != text else text
        for row, text in zip(rows, texts, strict=True)
    ] == texts
    for row in rows:
        assert set(row) == {"fact", "type", "id", "sources"}
        assert all(cell[0] not in "=+-@\t\r" for cell in row.values())
        assert (row["type"], row["id"], row["sources"]) == ("reversal", "f1/reversal/0", "f1")


def test_the_csv_is_a_file_of_facts_itself(tmp_path: Path) -> None:
    path = tmp_path / "augmented.csv"
    write_csv(
        path,
        [
            original(Fact("f1", 'Ana "the boss" owns Zorb, Inc.', "facts.csv:2")),
            example("=HYPERLINK(1)"),
            example("Question: a?\nAnswer: b"),
        ],
    )
    path.write_text(path.read_text().replace("f1/reversal/0", "x", 1))  # ids are unique in a run
    table = read_facts(path)
    assert [f.text for f in table.facts] == [
        'Ana "the boss" owns Zorb, Inc.',
        "'=HYPERLINK(1)",
        "Question: a? Answer: b",
    ]


def test_the_csv_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken() -> Any:
        yield example("Ana owns Zorb.")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_csv(tmp_path / "augmented.csv", broken())
    assert list(tmp_path.iterdir()) == []
