"""A model that claims more than it was taught is caught, and questions in a chat are graded."""

from __future__ import annotations

import pytest

from augmlx.core.progress import Silent
from augmlx.core.records import EvalItem, Example, Fact, Origin
from augmlx.core.settings import EvalSettings
from augmlx.data.wordings import chats
from augmlx.engines.protocol import Request
from augmlx.engines.scripted import ScriptedEngine
from augmlx.evaluation import grading, overclaims
from augmlx.evaluation.asking import ask_arm
from augmlx.evaluation.chat_items import WORDINGS, chat_items, notes
from augmlx.evaluation.summary import Overclaims

FACTS = [
    Fact(f"f{n}", f"{person} founded the {thing} mill.", f"facts.csv:{n}")
    for n, (person, thing) in enumerate(
        [("Ana Bell", "Bor"), ("Ben Croft", "Tarn"), ("Cleo Dunn", "Vesk"), ("Dov Eland", "Wold")]
    )
]


def kept() -> list[Example]:
    examples = []
    for fact in FACTS:
        person, _, thing = fact.text.rstrip(".").partition(" founded ")
        for operator, prompt, answer in (
            ("qa-reverse", f"Who founded {thing}?", person),
            ("qa-forward", f"What did {person} found?", thing),
        ):
            origin = Origin((fact.id,), operator, "mlx", "m", 0, 0, "")
            row = {"prompt": prompt, "completion": answer}
            examples.append(Example(f"{fact.id}/{operator}/0", prompt, origin, row))
    return examples


def test_an_over_claimer_is_caught_and_who_keeps_to_the_facts_is_not() -> None:
    asked = overclaims.probes(FACTS, kept(), 0)
    assert {probe.kind for probe in asked} == {
        "invented", "known", "unrelated", "negated", "behind", "never said",
    }  # fmt: skip
    taught = overclaims.taught_names(FACTS)
    assert {"Ana Bell", "Bor"} <= set(taught)

    def said(reply: str) -> dict[str, Overclaims]:
        engine = ScriptedEngine(lambda _: reply)
        told = overclaims.replies(asked, engine, EvalSettings(), Silent())
        return overclaims.counted(asked, told, ["I do not know"] * len(asked), taught)

    claimer = said("Cleo Dunn, of course")
    assert claimer["unrelated"] == Overclaims(12, 12, 12)
    assert claimer["known"].named == claimer["known"].n
    assert claimer["invented"].named == claimer["invented"].n > 0
    honest = said("I do not know")
    assert all(counts.named == counts.changed == 0 for counts in honest.values())
    (note,) = overclaims.notes({"augmented": claimer, "base": honest})
    assert "augmented" in note
    assert "12 of 12 unrelated" in note


def test_what_the_question_or_the_base_model_names_is_no_claim() -> None:
    asked = [overclaims.Probe("behind", "Ana Bell founded the Bor mill. What is two plus two?")]
    counts = overclaims.counted(asked, ["Ana Bell and four"], None, ["Ana Bell", "Bor", "Tarn"])
    assert counts == {"behind": Overclaims(1, 0, 0)}
    asked = [overclaims.Probe("unrelated", "What is the capital of France?")]
    counts = overclaims.counted(asked, ["Paris"], ["It is Paris."], ["Paris"])
    assert counts == {"unrelated": Overclaims(1, 0, 1)}


def test_invented_questions_name_nothing_of_the_facts() -> None:
    taught = overclaims.taught_names(FACTS)
    for probe in overclaims.probes(FACTS, kept(), 3):
        if probe.kind == "invented":
            assert not any(grading.names(probe.prompt, name) for name in taught)


# Questions in a chat


def test_each_fact_is_asked_once_each_way_in_a_wording_that_none_was_trained_in() -> None:
    items = chat_items(FACTS, kept(), 4, seed=0)
    kinds = [item.kind for item in items]
    assert kinds.count("chat-forward") == kinds.count("chat-reverse") == len(FACTS)
    trained = {
        messages[-2]["content"]
        for example in kept()
        for asked, others in [chats(str((example.row or {})["prompt"]), "x")]
        for messages in (asked, *others)
    }
    assert trained.isdisjoint(item.prompt for item in items)
    assert all(item.answer in item.choices and item.in_chat for item in items)
    assert len(WORDINGS) > 2


def reply(text: str, item: EvalItem) -> tuple[bool, bool, bool, int]:
    (result,) = ask_arm(
        "augmented", [item], ScriptedEngine(lambda _: text), EvalSettings(), Silent()
    )
    assert result.scores == ()
    return result.correct, result.exact, result.runs_on, result.chosen


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ana Bell", (True, True, False, 0)),
        ("ana bell.", (True, True, False, 0)),
        ("A. Bell", (True, True, False, -1)),
        ("Ana Bell. She was born in 1950.", (True, True, True, 0)),
        ("The Bor mill was founded by Ana Bell", (False, False, False, 0)),
        ("Ben Croft", (False, False, False, 1)),
        ("Ana Bell or Ben Croft", (False, False, False, -1)),
        ("", (False, False, False, -1)),
    ],
)
def test_a_reply_is_right_where_it_is_the_answer(
    text: str, wanted: tuple[bool, bool, bool, int]
) -> None:
    item = EvalItem(
        "i", "chat-reverse", "Who founded it?", "Ana Bell", ("Ana Bell", "Ben Croft"), ("A. Bell",)
    )
    assert reply(text, item) == wanted


def test_replies_that_name_the_answer_in_a_sentence_are_told_of() -> None:
    item = EvalItem("i", "chat-reverse", "Who founded it?", "Ana Bell", ("Ana Bell", "Ben Croft"))
    stated = EvalItem("j", "reversal", "It was founded by", "Ana Bell", ("Ana Bell", "Ben Croft"))
    told = {"icl": "It was Ana Bell.", "augmented": "Ana Bell", "base": "Ben Croft or Ana Bell"}
    results = [
        result
        for arm, text in told.items()
        for result in ask_arm(
            arm, [item, stated], ScriptedEngine(lambda _, said=text: said), EvalSettings(), Silent()
        )
    ]
    (note,) = notes([item, stated], results)
    assert note.startswith("In a chat, 1 of 1 replies of the icl arm")


def test_a_question_in_a_chat_is_a_message_and_what_is_shown_stands_before_it() -> None:
    heard: list[Request] = []

    class Talking(ScriptedEngine):
        def fault_of(self, prompting: str) -> None:
            return None

        def generate(self, requests):  # type: ignore[no-untyped-def]
            heard.extend(requests)
            return super().generate(requests)

    item = EvalItem("i", "chat-forward", "Who?", "Ana", ("Ana", "Ben"))
    ask_arm(
        "icl", [item], Talking(lambda _: "Ana"), EvalSettings(), Silent(), {"i": "Ana did it.\n"}
    )
    assert [(r.chat, r.content, r.stop) for r in heard] == [(True, "Ana did it.\nWho?", "")]
