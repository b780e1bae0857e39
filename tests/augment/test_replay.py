"""Replay: the right share, the same each time, and nothing written twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.augment.journal import open_journal
from augmlx.augment.replay import answered, drawn, from_file
from augmlx.core.errors import BadInput
from augmlx.core.progress import Silent
from augmlx.core.records import Example, Fact
from augmlx.data.stage import replay_needed
from augmlx.engines.protocol import Completion, Request
from augmlx.engines.scripted import ScriptedEngine

TEXTS = [Fact(f"t{n}", f"Text {n}.", f"texts.txt:{n}") for n in range(40)]


@given(st.integers(0, 100_000), st.floats(0, 0.5))
def test_the_share_is_that_of_the_whole(trained: int, share: float) -> None:
    count = replay_needed(trained, share)
    assert abs(count - share * (trained + count)) <= 1


def test_a_draw_is_the_same_for_one_seed_and_in_the_order_of_the_file() -> None:
    one = drawn(TEXTS, 10, seed=0)
    assert one == drawn(TEXTS, 10, seed=0) != drawn(TEXTS, 10, seed=1)
    places = [int(example.text.split()[1].rstrip(".")) for example in one]
    assert places == sorted(set(places))
    assert {example.origin.operator for example in one} == {"replay"}
    assert len(drawn(TEXTS, 99, seed=0)) == 40
    assert drawn([], 5, seed=0) == drawn(TEXTS, 0, seed=0) == []


def test_texts_and_training_rows_may_be_replayed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The sun is warm. The sea is deep.\n")
    assert [fact.text for fact in from_file(tmp_path / "a.txt")] == [
        "The sun is warm.",
        "The sea is deep.",
    ]
    (tmp_path / "b.jsonl").write_text('{"prompt": "Who?", "completion": "Ana."}\n')
    [example] = drawn(from_file(tmp_path / "b.jsonl"), 1, seed=0)
    assert example.row == {"prompt": "Who?", "completion": "Ana."}
    with pytest.raises(BadInput, match="no such file"):
        from_file(tmp_path / "none.txt")


# Of the model's own


def reply(request: Request) -> str:
    return (
        f" It depends.\nOn the {request.seed.rpartition(':')[2]}.\nQuestion: And then?\nAnswer: No."
    )


def own(
    count: int,
    engine: ScriptedEngine,
    path: Path | None = None,
    *,
    chat: bool = False,
    seed: int = 0,
) -> list[Example]:
    with open_journal(path) as journal:
        return answered(count, engine, journal, chat=chat, seed=seed, progress=Silent())


def test_answers_may_have_several_lines_and_end_before_the_next_question() -> None:
    [first, second] = own(2, ScriptedEngine(reply))
    assert (first.id, second.id) == ("replay/0", "replay/1")
    assert first.row is not None
    assert first.row["completion"] == "It depends.\nOn the 0."
    assert first.text == f"Question: {first.row['prompt']}\nAnswer: It depends.\nOn the 0."
    assert first.row["prompt"] != second.row["prompt"]  # type: ignore[index]


def test_a_question_is_put_raw_or_through_the_chat_template() -> None:
    for chat in (False, True):
        asked: list[Request] = []
        own(3, ScriptedEngine(lambda r, to=asked: to.append(r) or " Yes."), chat=chat)  # type: ignore[misc, func-returns-value]
        assert {r.chat for r in asked} == {chat}
        assert all(r.prompt.startswith("Question: ") is not chat for r in asked)


def test_more_answers_than_questions_are_of_other_seeds() -> None:
    made = own(500, ScriptedEngine(reply))
    assert len({example.id for example in made}) == 500
    assert len({example.text for example in made}) == 500


def test_the_same_again_writes_nothing_and_more_only_what_is_new(tmp_path: Path) -> None:
    engine = ScriptedEngine(reply)
    first = own(70, engine, tmp_path / "j")
    assert own(70, engine, tmp_path / "j") == first
    assert engine.generated == 70
    assert own(80, engine, tmp_path / "j")[:70] == first
    assert engine.generated == 80
    own(70, engine, tmp_path / "j", seed=1)
    assert engine.generated == 150
    another = ScriptedEngine(reply, model="another")
    own(70, another, tmp_path / "j")
    assert another.generated == 70


def test_an_interrupted_one_goes_on(tmp_path: Path) -> None:
    left = 100

    def until(request: Request) -> str:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        return reply(request)

    with pytest.raises(KeyboardInterrupt):
        own(150, ScriptedEngine(until), tmp_path / "j")
    engine = ScriptedEngine(reply)
    assert own(150, engine, tmp_path / "j") == own(150, ScriptedEngine(reply))
    assert engine.generated == 150 - 64  # a batch is journalled whole


# what the engine wrote: what of it is learnt
CUT = {
    "Take a walk. Then rest, and": "Take a walk.",
    "Take a walk. Then rest.": "Take a walk. Then rest.",
    "One long sentence that never": None,
    "  \n ": None,
}


@pytest.mark.parametrize("text", CUT)
def test_a_cut_off_answer_ends_with_its_last_whole_sentence(text: str) -> None:
    made = own(1, ScriptedEngine(lambda r: Completion(r.key, text, "length", 96)))
    assert [example.row["completion"] for example in made if example.row] == [
        t for t in [CUT[text]] if t
    ]


def test_failed_and_empty_ones_are_left_out_and_ids_stay() -> None:
    def write(request: Request) -> str | Completion:
        number = int(request.seed.rpartition(":")[2])
        return [" ", Completion(request.key, "too long", "error", 0), " Yes."][number % 3]

    assert [example.id for example in own(6, ScriptedEngine(write))] == ["replay/2", "replay/5"]
