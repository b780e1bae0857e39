"""The exam: its data obeys the format, and its judge says what the labels say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from augmlx.augment.exam.gold import (
    LANGUAGES,
    Gold,
    Labelled,
    golds,
    labelled_texts,
    read_golds,
)
from augmlx.augment.exam.judge import QUESTION, Verdict, Written, judge, written_of
from augmlx.augment.exam.marks import Share, Tally, mark
from augmlx.augment.exam.words import fold, has, words
from augmlx.core.errors import BadInput
from augmlx.core.records import Example, Origin

GOLDS = {gold.id: gold for gold in golds()}
OPERATORS = {"reversal", "rephrase", "qa-forward", "qa-reverse"}

# The data


def test_the_facts_are_many_and_of_many_kinds() -> None:
    by_language = Counter(gold.lang for gold in golds())
    assert by_language["en"] >= 120
    assert {lang: by_language[lang] for lang in LANGUAGES[1:]} == dict.fromkeys(LANGUAGES[1:], 8)
    assert len({gold.kind for gold in golds() if gold.lang == "en"}) >= 80


def test_no_fact_is_there_twice() -> None:
    assert len({fold(gold.fact) for gold in golds()}) == len(golds())


@pytest.mark.parametrize("gold", golds(), ids=lambda gold: gold.id)
def test_a_fact_may_be_asked_and_turned(gold: Gold) -> None:
    assert len(gold.ends) >= 2, "a fact has two ends"
    assert gold.reversal is not None
    assert gold.keep
    assert gold.wrong
    for asked in gold.asked:
        assert asked.answers
        assert asked.asks


def test_the_texts_are_of_known_facts_and_operators_and_labelled_in_equal_parts() -> None:
    texts = labelled_texts()
    assert len(texts) >= 400
    assert {text.fact_id for text in texts} == set(GOLDS)
    assert {text.operator for text in texts} == OPERATORS
    assert 0.4 <= sum(text.right for text in texts) / len(texts) <= 0.6
    for text in texts:
        assert bool(text.answer) == text.operator.startswith("qa"), text
        assert bool(text.why) != text.right, text


def test_no_text_is_there_twice() -> None:
    counts = Counter((t.fact_id, t.operator, t.text, t.answer) for t in labelled_texts())
    assert [key for key, count in counts.items() if count > 1] == []


# The judge and the labels

# Where the judge errs, with the reason: the last 95 texts were written after its rules, it erred on
# 14 of them, and where only a gold was at fault that was mended. A rule for the rest would catch
# right texts too.
DISAGREEMENTS = {
    ("price-1", "What do you get at the Alder spa for a day?"): "the answer is of another kind",
    (
        "date-2",
        "All applications have to reach the committee by 30 June.",
    ): '"all" says no more here',
    ("rule-1", "Wearing a foundry is mandatory in helmets."): "nouns exchanged after a right start",
    ("soft-1", "What does the -q option need?"): '"need" says nothing new elsewhere',
    ("soft-8", "How many minutes does the API need per request?"): "the right words, otherwise put",
    ("own-2", "Whose station was the bicycle stolen from?"): "the right words, otherwise put",
    ("perf-1", "How many ferries have carried Norrland passengers?"): "nouns exchanged",
}


def verdict_of(text: Labelled) -> Verdict:
    written = Written(text.fact_id, text.operator, text.text, text.answer)
    verdict = judge(GOLDS[text.fact_id], written)
    assert verdict is not None
    return verdict


def test_the_judge_agrees_with_the_labels() -> None:
    texts = labelled_texts()
    others = {
        (text.fact_id, text.text): verdict_of(text).broken
        for text in texts
        if (verdict_of(text).broken == "") != text.right
    }
    assert others.keys() == DISAGREEMENTS.keys()
    assert len(others) <= 0.03 * len(texts)


def test_marks_are_those_of_the_labels() -> None:
    texts = [Written(t.fact_id, t.operator, t.text, t.answer) for t in labelled_texts()]
    marks = mark(golds(), texts)
    assert marks.facts == len(golds())
    assert marks.all.kept == len(texts)
    assert len(marks.mistakes) == marks.all.wrong
    assert marks.coverage.nothing == Share(0, len(golds()))


# The judge's rules, on rows written by hand

VOSS: dict[str, Any] = {
    "id": "a",
    "kind": "role",
    "lang": "en",
    "fact": "Mara Voss is the head of the Lumen Lab.",
    "qa": [
        {
            "answer": ["Mara Voss"],
            "asks": ["head|lead*|run*", "Lumen Lab"],
            "is": "person",
            "not": ["voss"],
        },
        {"answer": ["the Lumen Lab", "Lumen Lab"], "asks": ["Mara Voss"], "is": "org"},
    ],
    "reversal": {
        "starts": ["The head of the Lumen Lab", "The Lumen Lab"],
        "contains": ["Mara Voss"],
    },
    "keep": ["Mara Voss", "head*|lead*|led"],
    "wrong": ["^the lumen lab is the head"],
}
RULE: dict[str, Any] = {
    "id": "b",
    "kind": "negation",
    "lang": "en",
    "fact": "The X2 pump does not run below 1,200 rpm.",
    "qa": [{"answer": ["1,200 rpm"], "asks": ["X2"], "is": "amount"}],
    "reversal": None,
    "keep": ["X2", "1,200|1200", "not|never"],
    "wrong": ["does not run above"],
}
WIEN: dict[str, Any] = {
    "id": "c",
    "kind": "firma",
    "lang": "de",
    "fact": "Das Lager in Wien leitet Jana Frey.",
    "qa": [{"answer": ["Jana Frey"], "asks": ["Lager"], "is": "person"}],
    "reversal": {"starts": ["Jana Frey"], "contains": ["Lager", "Wien"]},
    "keep": ["Jana Frey", "Wien"],
    "wrong": [],
}
ZHOU: dict[str, Any] = {
    "id": "d",
    "kind": "公司",
    "lang": "zh",
    "fact": "林悦是研发部的经理。",
    "qa": [{"answer": ["林悦"], "asks": ["研发部", "经理"], "is": "person"}],
    "reversal": {"starts": ["研发部的经理"], "contains": ["林悦"]},
    "keep": ["林悦", "研发部"],
    "wrong": [],
}


def written_file(path: Path, *rows: dict[str, Any]) -> Path:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture
def four(tmp_path: Path) -> dict[str, Gold]:
    rows = read_golds(written_file(tmp_path / "gold.jsonl", VOSS, RULE, WIEN, ZHOU))
    return {gold.id: gold for gold in rows}


RIGHT, ANY = "", "..."
STATEMENTS = [
    ("a", "reversal", "The head of the Lumen Lab is Mara Voss.", RIGHT),
    ("a", "reversal", "The Lumen Lab is the head of Mara Voss.", "matches"),
    ("a", "rephrase", "mara voss is the head of the lumen lab", "equals its source"),
    ("a", "reversal", "Mara Voss leads the Lumen Lab.", "is not turned"),
    ("a", "rephrase", "Mara Voss is the head of the Lumen Lab in Oslo.", "names 'Oslo'"),
    ("a", "rephrase", "Mara Voss is not the head of the Lumen Lab.", "adds 'not'"),
    ("a", "rephrase", "Mara Voss is the first head of the Lumen Lab.", "adds 'first'"),
    ("a", "rephrase", "The Lumen Lab of Mara Voss is headed by Mara Voss.", "says 'Mara Voss'"),
    ("b", "rephrase", "The X2 pump runs below 1,200 rpm.", "lacks 'not"),
    ("b", "rephrase", "Below 1200 rpm the X2 pump does not run.", RIGHT),
    ("b", "rephrase", "Below 11,200 rpm the X2 pump does not run.", "lacks '1,200"),
    ("c", "reversal", "Jana Frey leitet das Lager in Wien.", RIGHT),
    ("d", "reversal", "研发部的经理是林悦。", RIGHT),
]
QUESTIONS = [
    ("a", "Who is the head of the Lumen Lab?", "Mara Voss", RIGHT),
    ("a", "Who leads the Lumen Lab?", "Mara Voss.", RIGHT),
    ("a", "Who is the head of the Lumen Lab?", "Mara Voss is the head.", RIGHT),
    ("a", "Who is the head of the Lumen Lab?", "Mara Voss and Tom Reed", "answer is none"),
    ("a", "Who is the head?", "Mara Voss", "question lacks 'Lumen Lab'"),
    ("a", "Where is the head of the Lumen Lab?", "Mara Voss", "'where' does not ask"),
    ("a", "Who is Mara Voss, head of the Lumen Lab?", "Mara Voss", "question matches"),
    ("a", "What Lumen Lab is Mara Voss the head of?", "the Lumen Lab", "question gives the"),
    ("a", "The head of the Lumen Lab is", "Mara Voss", "is no question"),
    ("c", "Wer leitet das Lager in Wien?", "Jana Frey", RIGHT),
    ("d", "研发部的经理是谁?", "林悦", RIGHT),
]


@pytest.mark.parametrize(("key", "operator", "text", "broken"), STATEMENTS)
def test_a_statement_is_held_to_its_gold(
    four: dict[str, Gold], key: str, operator: str, text: str, broken: str
) -> None:
    verdict = judge(four[key], Written(key, operator, text))
    assert verdict is not None
    assert verdict.broken == broken if broken == RIGHT else verdict.broken.startswith(broken)


@pytest.mark.parametrize(("key", "question", "answer", "broken"), QUESTIONS)
def test_a_question_and_its_answer_are_held_to_their_gold(
    four: dict[str, Gold], key: str, question: str, answer: str, broken: str
) -> None:
    verdict = judge(four[key], Written(key, "qa-forward", question, answer))
    assert verdict is not None
    assert verdict.form == QUESTION
    assert verdict.broken == broken if broken == RIGHT else verdict.broken.startswith(broken)


RUN = [
    Written("a", "reversal", "The head of the Lumen Lab is Mara Voss."),
    Written("a", "reversal", "The Lumen Lab is the head of Mara Voss."),
    Written("a", "qa-forward", "Who leads the Lumen Lab?", "Mara Voss"),
    Written("a", "qa-reverse", "What does Mara Voss lead?", "the Lumen Lab"),
    Written("b", "chain", "x"),
]


def test_marks_count_what_is_right_by_operator_and_by_fact(four: dict[str, Gold]) -> None:
    marks = mark([four["a"], four["b"]], RUN)
    assert marks.by_operator["reversal"] == Tally(kept=2, right=1, covered=1)
    assert marks.all.precision == 0.75
    assert marks.not_judged == {"chain": 1}
    coverage = marks.coverage
    assert coverage.question == Share(1, 2)
    assert coverage.both_ends == Share(1, 1)
    assert coverage.reversal == Share(1, 1)
    assert coverage.rephrase == Share(0, 2)
    assert coverage.nothing.value == 0.5


def test_coverage_is_over_the_facts_that_were_asked_about(four: dict[str, Gold]) -> None:
    marks = mark([four["a"]], RUN)
    assert marks.facts == 1
    assert marks.coverage.question == Share(1, 1)


def test_nothing_kept_has_no_precision(four: dict[str, Gold]) -> None:
    marks = mark(list(four.values()), [])
    assert marks.all.precision is None
    assert mark([], []).coverage.question.value is None


def example(text: str, *ids: str, row: dict[str, Any] | None = None) -> Example:
    origin = Origin(ids, "qa-forward", "scripted", "m", 0, 0, "0" * 64)
    return Example("a/qa-forward/0", text, origin, row=row)


def test_a_kept_example_is_read_as_its_question_and_answer() -> None:
    text = "Question: Who leads the Lumen Lab?\nAnswer: Mara Voss"
    wanted = Written("a", "qa-forward", "Who leads the Lumen Lab?", "Mara Voss")
    assert written_of(example(text, "a")) == wanted
    pair = {"prompt": "Who leads the Lumen Lab?", "completion": "Mara Voss"}
    assert written_of(example("?", "a", row=pair)) == wanted
    assert written_of(example(text, "a", "b")) is None


# Reading


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"lang": "xx"}, "no language 'xx'"),
        ({"keep": ["Mara Vogt"]}, "the fact itself lacks 'Mara Vogt'"),
        ({"wrong": ["lumen lab"]}, "the fact itself matches 'lumen lab'"),
        ({"wrong": ["Lumen Lab is"]}, "not in lower case"),
        ({"qa": [{"answer": ["x"], "asks": ["x"], "is": "beast"}]}, "no kind of answer 'beast'"),
    ],
)
def test_a_slip_in_the_gold_is_refused_with_its_place(
    tmp_path: Path, change: dict[str, Any], fault: str
) -> None:
    path = written_file(tmp_path / "gold.jsonl", RULE, {**VOSS, **change})
    with pytest.raises(BadInput, match=rf"gold\.jsonl:2: .*{fault}"):
        read_golds(path)


def test_a_missing_key_and_a_second_id_are_refused(tmp_path: Path) -> None:
    lacking = {key: value for key, value in VOSS.items() if key != "keep"}
    with pytest.raises(BadInput, match="lacks keep"):
        read_golds(written_file(tmp_path / "gold.jsonl", lacking))
    with pytest.raises(BadInput, match="the id a is there twice"):
        read_golds(written_file(tmp_path / "gold.jsonl", VOSS, VOSS))


def test_texts_are_compared_without_case_and_shapes() -> None:
    assert fold("The “Ｘ２”  runs at 7 °C") == 'the "x2" runs at 7°c'
    assert words("A (good) word, 经理.") == ["a", "good", "word", "经", "理"]
    assert has(fold("leads 1,200 people"), "lead*|run")
    assert not has(fold("leads 11,200 people"), "1,200")
    assert not has(fold("misled"), "led")
