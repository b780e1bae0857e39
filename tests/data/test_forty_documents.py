"""Documents as people have them, in every format that is read: their sentences come out whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from augmlx.data.facts import read_facts
from augmlx.data.prose import KINDS
from tests.data.documents import DOCUMENTS, sentences, write

BAR = 0.98


def found(name: str, folder: Path) -> list[str]:
    return [fact.text for fact in read_facts(write(name, folder)).facts]


def test_there_are_40_of_all_formats() -> None:
    suffixes = {Path(name).suffix for name in DOCUMENTS}
    assert len(DOCUMENTS) == 40
    assert suffixes == {*KINDS, ".csv", ".json", ".jsonl", ".xlsx", ".ods"} - {".markdown", ".htm"}
    assert sum(len(sentences(name)) for name in DOCUMENTS) > 200


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_no_statement_is_not_among_them(name: str, tmp_path: Path) -> None:
    facts = found(name, tmp_path)
    apart = [b.text for b in DOCUMENTS[name] if b.kind in ("heading", "none")]
    assert not set(facts) & set(apart)
    assert len(facts) <= len(sentences(name)) + 1


def test_their_sentences_are_kept_whole(tmp_path: Path) -> None:
    broken = {}
    wanted = 0
    for name in DOCUMENTS:
        facts = set(found(name, tmp_path))
        missing = [text for text in sentences(name) if text not in facts]
        wanted += len(sentences(name))
        if missing:
            broken[name] = missing
    share = 1 - sum(map(len, broken.values())) / wanted
    assert share >= BAR, f"{share:.3f} of {wanted}: {broken}"
