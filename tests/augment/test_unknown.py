"""Questions about invented names, which nothing is known of, and the anchors' sources."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import write_model

from augmlx.augment import anchor_store, anchors, unknown
from augmlx.core.files import read_jsonl, write_jsonl
from augmlx.core.progress import Silent
from augmlx.core.records import Example, Fact, Json, Origin, to_json
from augmlx.core.run_folder import RunFolder
from augmlx.engines.scripted import ScriptedEngine
from augmlx.english.names import entities
from augmlx.english.renaming import Words, may_answer, renamed
from augmlx.evaluation import overclaims

PERSONS, NAMES = ["Wanda", "Xaver"], ["Albrook", "Bantley", "Cawdale"]
WORDS = Words(PERSONS, NAMES, NAMES)
FACTS = [
    "Ana Bell founded the Bor mill.",
    "Ugo Marr owns the Tilda barge.",
    "Ana Bell works in Ostrel.",
]


def asked(question: str, number: int = 0, answer: str = "the mill") -> Example:
    origin = Origin((f"f{number}",), "qa-reverse", "mlx", "m", 0, 0, "")
    row = {"prompt": question, "completion": answer}
    return Example(f"f{number}/qa-reverse/0", f"Question: {question}", origin, row)


def test_a_name_becomes_one_of_as_many_words_and_the_rest_stays() -> None:
    rng = Random(0)
    other = renamed("Who designed the Heron lamp in 1998?", WORDS, rng)
    assert other is not None
    assert other.startswith("Who designed the ")
    assert other.endswith(" lamp in 1998?")
    assert "Heron" not in other
    person = renamed("What did Ana Bell found?", WORDS, rng)
    assert person is not None
    assert person.split()[2] in PERSONS
    assert person.split()[3] in NAMES
    assert renamed("What holds water?", WORDS, rng) is None


@given(st.integers(0, 50), st.integers(0, 40))
def test_as_many_questions_as_asked_for_none_twice_and_none_of_the_facts(
    seed: int, count: int
) -> None:
    own = ["Who founded the Bor mill?", "Where does Ana Bell work?", "Wer leitet das Lager?"]
    examples = [asked(question, n) for n, question in enumerate(own)]
    found = unknown.questions(FACTS, examples, count, str(seed))
    assert len(found) == len(set(found)) == count
    assert set(found).isdisjoint(own)
    assert not any("Bor mill" in question or "Ana Bell work" in question for question in found)
    assert not any(question.startswith("Wer") for question in found)
    assert unknown.questions(FACTS, examples, count, str(seed)) == found


def test_most_are_about_invented_names_of_persons_more_than_of_things_and_of_any_surname() -> None:
    own = ["What did Ana Bell found?", "Who founded the Bor mill?"]
    found = unknown.questions(FACTS, [asked(q, n) for n, q in enumerate(own)], 300, "0")
    lists = unknown.shipped()
    invented = [q for q in found if q.startswith("What did ") and q.split()[2] in lists.persons]
    surnames = {question.split()[3] for question in invented}
    assert surnames & set(lists.surnames)
    assert surnames & set(lists.names)
    things = [q for q in found if q.startswith("Who founded the ") and q.split()[3] in lists.names]
    assert 1.6 < len(invented) / len(things) < 2.5
    assert len(invented) + len(things) > 0.6 * len(found)


def test_some_are_put_together_of_the_facts_own_words_and_some_are_about_their_names() -> None:
    own = ["What did Ana Bell found?", "What did Ugo Marr found?", "Who founded the Bor mill?"]
    found = unknown.questions(FACTS, [asked(q, n) for n, q in enumerate(own)], 60, "0")
    assert {"What did Ana Marr found?", "What did Ugo Bell found?"} <= set(found)
    assert {"Who founded the Tilda mill?", "Who founded the Ostrel mill?"} & set(found)
    assert any("Ana Bell" in question for question in found)
    assert not any("Ana Bell found" in q or "Ugo Marr found" in q for q in found)


def test_what_a_fact_may_answer_is_not_denied() -> None:
    assert may_answer("Ana Bell founded the Bor mill.", "What did Ana Bell found?")
    assert may_answer("The Bor mill smells of tar.", "What does the Bor mill smell of?")
    assert not may_answer("Ana Bell founded the Bor mill.", "What does Ana Bell smell of?")
    assert not may_answer("Ana Bell founded the Bor mill.", "Who founded the Tilda mill?")
    facts = ["The Bor mill smells of tar.", "Ana Bell founded the Bor mill."]
    asked_of_all = unknown.questions(facts, [asked("Who founded the Bor mill?")], 60, "0")
    assert not any("Bor mill" in question for question in asked_of_all)
    assert any("Ana Bell" in question for question in asked_of_all)


def test_without_questions_or_names_nothing_is_unknown() -> None:
    assert unknown.questions(FACTS, [], 9, "0") == []
    assert unknown.questions(["It holds water."], [asked("What holds water?")], 9, "0") == []


def test_the_rows_have_the_form_of_the_training_set(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    facts = [Fact(f"f{n}", text, "") for n, text in enumerate(FACTS)]
    write_jsonl(run.facts, map(to_json, facts))
    write_jsonl(run.augmented, [to_json(asked("Who founded the Bor mill?"))])
    keys = {"mixed": "messages", "chat": "messages", "completions": "prompt", "text": "text"}
    for form, key in keys.items():
        count = unknown.write(run, form, seed=0)  # type: ignore[arg-type]
        rows = list(read_jsonl(run.unknown_rows))
        assert len(rows) == count > 20
        assert all(key in row and row["id"].startswith("unknown/") for row in rows)
        assert all(unknown.ANSWER in str(row) for row in rows)


def test_what_trains_and_what_tries_have_nothing_in_common() -> None:
    ours, theirs = anchors.shipped(), overclaims.shipped()
    not_known = unknown.shipped()
    words = {*not_known.persons, *not_known.surnames, *not_known.names}
    assert words.isdisjoint({*theirs["names"], *theirs["persons"]})
    assert min(len(not_known.persons), len(not_known.surnames), len(not_known.names)) > 150
    trained = {*ours.everyday, *ours.known, *ours.openers, *ours.requests}
    tried = [*theirs["known"], *theirs["unrelated"]]
    assert trained.isdisjoint(tried)
    names_trained = {m.text for text in ours.known for m in entities(text)}
    names_tried = {m.text for text in theirs["known"] for m in entities(text)}
    assert names_trained.isdisjoint(names_tried)


def test_the_anchors_that_are_shipped_are_answers_to_what_is_asked_now() -> None:
    """Or anchor_store.CODE must be raised, and they must be made anew."""
    asked = [source.text for source in anchors._sources()]
    with resources.as_file(anchor_store._SHIPPED) as folder:
        files = sorted(folder.glob("*.jsonl"))
        assert files
        for file in files:
            assert file.stem.endswith(f"-{anchor_store.CODE}")
            for row in read_jsonl(file):
                source = asked[int(row["id"].removeprefix("anchor/"))]
                assert (
                    row["prompt"] == source if "prompt" in row else row["text"].startswith(source)
                )


def test_anchors_are_made_once_for_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGMLX_HOME", str(tmp_path / "store"))  # of this test alone
    model = write_model(tmp_path / "tiny")
    assert anchor_store.find(model) == []
    made: list[ScriptedEngine] = []

    def engine() -> ScriptedEngine:
        made.append(ScriptedEngine(lambda _: "something"))
        return made[-1]

    rows = []
    for name in ("first", "second"):
        run = RunFolder(tmp_path / name)
        run.create()
        write_jsonl(run.facts, [to_json(Fact("f0", FACTS[0], ""))])
        count = anchors.write(run, (), model=model, make_engine=engine, progress=Silent())
        rows.append(list(read_jsonl(run.anchor_rows)))
        assert len(rows[-1]) == count > 100
    assert rows[0] == rows[1] == anchors._varied(anchor_store.find(model), FACTS[:1])
    assert len(made) == 1


def test_anchors_are_asked_in_other_words_and_behind_facts_and_answered_as_they_are() -> None:
    asked_as = ["Who wrote the Odyssey?", "Hello!"]
    rows: list[Json] = [
        {"id": f"anchor/{n}", "prompt": asked_as[n % 2], "completion": f"So {n}."}
        for n in range(12)
    ]
    texts = [{"id": f"anchor/{n}", "text": "It rains."} for n in range(12, 15)]
    varied = anchors._varied([*rows, *texts], FACTS)
    assert varied[12:] == texts
    kinds = [0, 0, 0]
    for row, was in zip(varied, rows, strict=False):
        assert {**row, "prompt": ""} == {**was, "prompt": ""}
        is_behind = any(row["prompt"] == f"{fact}\n\n{was['prompt']}" for fact in FACTS)
        is_as_it_was = row["prompt"] == was["prompt"]
        kinds[0 if is_as_it_was else 2 if is_behind else 1] += 1
        said = row["prompt"].casefold()
        assert was["prompt"].casefold() in said
    assert kinds == [6, 2, 4]  # a greeting has no other words
