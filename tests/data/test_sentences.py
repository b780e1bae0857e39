"""Sentences as people write them, in five languages: where they end, against a library for it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from augmlx.english.junk import why_no_statement
from augmlx.english.segments import segments

LABELLED: dict[str, str] = tomllib.loads(
    Path(__file__).with_name("sentences.toml").read_text("utf-8")
)
LINES = {lang: text.strip().splitlines() for lang, text in LABELLED.items()}


def whole(line: str, found: list[str]) -> tuple[int, int]:
    """How many of a line's sentences were found whole, and how many there are."""
    wanted = line.split(" | ")
    return len(set(wanted) & set(found)), len(wanted)


def ours(line: str) -> list[str]:
    return [sentence.text for sentence in segments(line.replace(" | ", " "))]


def share(lang: str, split: object) -> float:
    pairs = [whole(line, split(line)) for line in LINES[lang]]  # type: ignore[operator]
    return sum(right for right, _ in pairs) / sum(count for _, count in pairs)


def test_there_are_300_sentences_in_five_languages() -> None:
    counts = {lang: sum(len(line.split(" | ")) for line in lines) for lang, lines in LINES.items()}
    assert len(counts) == 5
    assert sum(counts.values()) >= 300
    assert min(counts.values()) >= 60


@pytest.mark.parametrize("lang", LINES)
def test_sentences_are_whole(lang: str) -> None:
    assert share(lang, ours) >= 0.98


@pytest.mark.parametrize("lang", LINES)
def test_a_library_for_it_finds_no_more(lang: str) -> None:
    pysbd = pytest.importorskip("pysbd")
    segmenter = pysbd.Segmenter(language=lang, clean=False)

    def theirs(line: str) -> list[str]:
        return [text.strip() for text in segmenter.segment(line.replace(" | ", " "))]

    assert share(lang, ours) >= share(lang, theirs)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NaN", "placeholder"),
        ("n/a", "placeholder"),
        ("<TODO>", "placeholder"),
        ("TRUE", "placeholder"),
        ("null", "placeholder"),
        ("#REF!", "error of a spreadsheet"),
        ("#N/A", "error of a spreadsheet"),
        ("-", "mark without a word"),
        ("?", "mark without a word"),
        ("https://zorb.example/a?b=1", "bare link"),
        ("help@zorb.example", "bare link"),
        ("Nan left.", None),
        ("None of them left.", None),
        ("See https://zorb.example for it.", None),
        ("🦊", None),
        ("+1", None),
    ],
)
def test_what_says_nothing_is_named(text: str, why: str | None) -> None:
    assert why_no_statement(text) == why
