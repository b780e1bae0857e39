"""What is said to hear of a fact, besides the questions that it answers."""

from __future__ import annotations

from augmlx.core.records import Example, Origin
from augmlx.data.requests import Requests
from augmlx.data.row_forms import training_rows

FACTS = {
    "lamp": "Yusuf Adel designed the Heron lamp.",
    "radio": "Greta Holm designed the Kestrel radio.",
    "both": "Greta Holm designed the Heron lamp.",
    "head": "Mara Voss is the head of the Lumen Lab.",
}


def asked(fact: str, question: str, answer: str) -> Example:
    row = {"prompt": question, "completion": answer}
    origin = Origin((fact,), "qa-forward", "mlx", "m", 0, 0, "")
    return Example(f"{fact}/qa-forward/0", f"Question: {question}", origin, row)


def test_the_reply_is_the_fact() -> None:
    said = dict(Requests(FACTS).about(FACTS["radio"]))
    assert said["Did Greta Holm design the Kestrel radio?"] == (
        "Yes, Greta Holm designed the Kestrel radio."
    )
    assert said["Did Yusuf Adel design the Kestrel radio?"] == FACTS["radio"]
    others = [reply for request, reply in said.items() if not request.startswith("Did")]
    assert others == [FACTS["radio"]] * 4
    for name in ("Greta Holm", "the Kestrel radio"):
        assert sum(name in request for request in said) >= 2


def test_nothing_that_a_fact_says_is_asked_as_what_another_did() -> None:
    said = [request.said for request in Requests(FACTS).about(FACTS["lamp"])]
    assert "Did Greta Holm design the Heron lamp?" not in said


def test_a_question_keeps_its_own_answer() -> None:
    requests = Requests(FACTS)
    question = asked("head", "Who is Mara Voss?", "the head of the Lumen Lab")
    assert all(said != "Who is Mara Voss?" for said, _ in requests.of(question))
    lamp = asked("lamp", "What did Yusuf Adel design?", "the Heron lamp")
    assert requests.of(lamp)[0] == ("Which lamp did Yusuf Adel design?", "the Heron lamp")
    assert requests.of(asked("lamp", "Wer entwarf die Lampe?", "Yusuf Adel")) == []
    assert requests.of(asked("none", "Who owns it?", "Ana")) == []


def test_every_third_way_of_a_question_is_one_of_them() -> None:
    lamp = asked("lamp", "What did Yusuf Adel design?", "the Heron lamp")
    _, row = training_rows(lamp, "mixed", Requests(FACTS))
    ways = [row["messages"], *row["wordings"]]
    replies = [way[-1]["content"] for way in ways[:9]]
    known = dict(Requests(FACTS).of(lamp))
    others = [way for way in ways if way[-2]["content"] in known]
    assert [ways.index(way) % 3 for way in others] == [2] * len(others)
    assert {"The Heron lamp"} == {replies[place] for place in (0, 1, 3, 4, 6, 7)}
