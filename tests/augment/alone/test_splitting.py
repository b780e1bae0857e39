"""Sentences become statements that stand alone; whatever a model writes, nothing is lost, and
nothing is added.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny.line import Recorder

from augmlx.augment.alone.sentences import sentences_of
from augmlx.augment.alone.splitting import split
from augmlx.core.errors import ModelError
from augmlx.core.settings import AugmentSettings
from augmlx.data.fact_sheet import SheetRow, sheet_content, sheet_rows
from augmlx.data.facts import FactTable, read_facts
from augmlx.engines.protocol import Completion, Request
from augmlx.engines.scripted import ScriptedEngine

TEXT = """# The mill

Ada Voss founded Orrin Mills in 1990 and sold it in 2004. She lives in Bor.
This surprised the town. The pump weighs 12 kg.

# The hall

It is red. The hall seats 80 people.
"""
RIGHT = {
    "Ada Voss founded Orrin Mills in 1990 and sold it in 2004.": "Ada Voss founded Orrin Mills in "
    "1990. Ada Voss sold Orrin Mills in 2004.",
    "She lives in Bor.": "Ada Voss lives in Bor.",
}
PARAGRAPHS = Path(__file__).parents[2] / "data" / "paragraphs.txt"
Write = Callable[[Request], str | Completion]


def asked(request: Request) -> str:
    """The sentence of a request."""
    return request.content.rpartition("Sentence: ")[2].partition("\n")[0]


def rightly(request: Request) -> str:
    """A model that can do it."""
    return RIGHT[asked(request)].removeprefix(request.opening)


def table(folder: Path, text: str = TEXT, name: str = "a.md") -> FactTable:
    path = folder / name
    path.write_text(text)
    return read_facts(path)


def made(
    tables: FactTable,
    write: Write,
    journal: Path | None = None,
    weigh: Callable[[str, str], float] = lambda *_: 0.0,
    **settings: object,
) -> list[SheetRow]:
    config = AugmentSettings.model_validate(settings)
    (rows,) = split([tables], ScriptedEngine(write, weigh=weigh), journal, config, Recorder())
    return rows


def test_statements_stand_alone_and_name_their_sentence(tmp_path: Path) -> None:
    rows = made(table(tmp_path), rightly)
    kept = [(row.fact, row.source, row.sentence) for row in rows if not row.left_out]
    first, second = RIGHT
    assert kept == [
        ("Ada Voss founded Orrin Mills in 1990.", "a.md:3", first),
        ("Ada Voss sold Orrin Mills in 2004.", "a.md:3", first),
        ("Ada Voss lives in Bor.", "a.md:3", second),
        ("The pump weighs 12 kg.", "a.md:4", ""),
        ("The hall seats 80 people.", "a.md:8", ""),
    ]
    left_out = [(row.fact, row.left_out) for row in rows if row.left_out]
    why = "speaks of what another sentence names"
    # What stands before a heading is not spoken of behind it.
    assert left_out == [("This surprised the town.", why), ("It is red.", why)]


@pytest.mark.parametrize(
    "written",
    [
        "Ada Voss founded Orrin Mills in 1990.",  # half of it
        "Ada Voss founded Orrin Mills in 1990. Ada Voss sold Orrin Mills in 2005.",
        "Ada Voss founded Orrin Mills in 1990. Bo Lind sold Orrin Mills in 2004.",
        "Ada Voss founded Orrin Mills in 1990. Ada Voss did not sell Orrin Mills in 2004.",
        "Ada Voss founded Orrin Mills in 1990. Ada Voss sold it in 2004.",
        "Ada Voss founded Orrin Mills in 1990. Ada Voss sold Orrin Mills in 2004. She was rich.",
        "Orrin Mills founded Ada Voss in 1990. Ada Voss sold Orrin Mills in 2004.",
        "",
    ],
)
def test_what_says_less_or_more_is_not_taken(written: str, tmp_path: Path) -> None:
    sentence = next(iter(RIGHT))
    (row,) = made(table(tmp_path, sentence, "a.txt"), lambda _: written)
    assert (row.fact, row.left_out) == (sentence, "")
    assert row.note == "what the model made of it says less or more"


def test_other_words_are_taken_where_a_rephrasing_would_be(tmp_path: Path) -> None:
    text = "Ada Voss is the owner of Maple House and lives in Bor."
    written = "Ada Voss lives in Bor. Ada Voss is the person who owns Maple House."
    rows = made(table(tmp_path, text, "a.txt"), lambda _: written)
    assert [row.fact for row in rows] == [
        "Ada Voss is the person who owns Maple House.",
        "Ada Voss lives in Bor.",
    ]


@pytest.mark.parametrize(
    ("likelier", "wanted"), [("The museum", "The museum closes at six."), ("The painting", "")]
)
def test_a_guess_holds_where_the_model_means_the_same(
    likelier: str, wanted: str, tmp_path: Path
) -> None:
    seen = []

    def write(request: Request) -> str:
        seen.append(request.opening)
        return " at six." if request.opening else "It closes at six."

    def weigh(prompt: str, continuation: str) -> float:
        assert continuation == " closes at six."
        return -1.0 if prompt.endswith(f"in 1930. {likelier}") else -5.0

    text = "The museum bought the painting in 1930. It closes at six."
    facts = table(tmp_path, text, "a.txt")
    *_, row = made(facts, write, tmp_path / "journal", weigh)
    assert (row.fact if row.sentence else "") == wanted
    assert bool(row.left_out) != bool(wanted)
    assert set(seen) == ({"", "The museum closes"} if wanted else {""})

    def never(*_: object) -> float:
        raise AssertionError("it stood in the journal")

    assert made(facts, write, tmp_path / "journal", never)[-1] == row


def test_what_a_sentence_names_by_the_way_is_weighed_against_what_was_spoken_of(
    tmp_path: Path,
) -> None:
    text = "The scooter costs 300 euros. Dealers sell the helmet. It has a range of 35 km."
    *_, last = sentences_of(table(tmp_path, text, "a.txt"))
    assert last.whole == "The helmet has a range of 35 km."
    assert not last.is_sure
    assert [begun for begun, _ in last.readings] == ["The helmet", "The scooter"]
    *_, last = sentences_of(table(tmp_path, text.partition(". ")[2], "b.txt"))
    assert last.is_sure


@pytest.mark.parametrize(
    ("sentence", "opening"),
    [
        (
            "Ben Okafor composed the Song in 1974 and dedicated it to his son.",
            "Ben Okafor composed the Song in 1974. Ben Okafor dedicated the Song",
        ),
        (
            "Ada leads the team for tea, and Bo leads the team for cake.",
            "Ada leads the team for tea. Bo",
        ),
        (
            "The board thanks Dr. Lind, who retired in December.",
            "The board thanks Dr. Lind. Dr. Lind",
        ),
        ("The pump weighs 12 kg and runs on 230 V.", "The pump weighs 12 kg. The pump"),
    ],
)
def test_a_second_statement_is_opened_with_what_it_is_about(
    sentence: str, opening: str, tmp_path: Path
) -> None:
    (read,) = sentences_of(table(tmp_path, sentence, "a.txt"))
    assert read.opening == opening


@pytest.mark.parametrize(
    ("sentence", "opening"),
    [
        ("It closes at six.", "The mill closes"),
        ("Its head, Bo Lind, is a pilot.", "The mill's head"),
        ("Bo Lind voted against it.", "Bo Lind voted against the mill"),
    ],
)
def test_a_sentence_is_opened_up_to_the_word_behind_a_name(
    sentence: str, opening: str, tmp_path: Path
) -> None:
    *_, read = sentences_of(table(tmp_path, f"The mill is old. {sentence}", "a.txt"))
    assert read.opening == opening


def test_sentences_before_are_no_part_of_an_answer(tmp_path: Path) -> None:
    text = "The mill is old. The pump weighs 12 kg and runs on 230 V."
    written = "The mill is old. The pump weighs 12 kg. The pump runs on 230 V."
    rows = made(table(tmp_path, text, "a.txt"), lambda _: written)
    assert [row.fact for row in rows] == written.replace(". ", ".|").split("|")


def test_one_who_trained_was_not_trained(tmp_path: Path) -> None:
    text = "Dr. Omar Haddad, who trained in Lyon, heads the clinic."
    written = "Dr. Omar Haddad heads the clinic. Dr. Omar Haddad was trained in Lyon."
    (row,) = made(table(tmp_path, text, "a.txt"), lambda _: written)
    assert (row.fact, bool(row.note)) == (text, True)


def test_a_sentence_without_a_sure_name_is_not_put_to_the_model(tmp_path: Path) -> None:
    def write(request: Request) -> str:
        raise AssertionError(asked(request))

    text = "Ada Voss hired Omar Haddad. He left. The mill is old. Die Mühle ist alt."
    rows = made(table(tmp_path, text, "a.txt"), write)
    assert [bool(row.left_out) for row in rows] == [False, True, False, False]


def test_rows_of_a_table_do_not_speak_of_each_other(tmp_path: Path) -> None:
    rows = made(
        table(tmp_path, "fact\nThe pump is old. It is red.\nIt is blue.\n", "a.csv"),
        lambda _: "The pump is red.",
    )
    assert [(row.fact, bool(row.left_out)) for row in rows] == [
        ("The pump is old.", False),
        ("The pump is red.", False),
        ("It is blue.", True),
    ]


def test_rows_of_a_training_set_stay_as_they_are(tmp_path: Path) -> None:
    content = '{"prompt": "Who?", "completion": "She owns a mill and sold it."}\n'
    facts = table(tmp_path, content, "a.jsonl")
    (row,) = made(facts, lambda _: "x")
    assert row.row == facts.facts[0].row


def test_a_model_is_asked_in_turns_where_it_talks(tmp_path: Path) -> None:
    seen: list[Request] = []

    def write(request: Request) -> str:
        seen.append(request)
        return f"Here are the statements:\n1. {RIGHT[asked(request)]}"

    rows = made(table(tmp_path), write, prompting="turns")
    assert sum(bool(row.sentence) for row in rows) == 3
    assert all(request.chat and request.turns and request.system for request in seen)
    assert "Before: Ada Voss founded" in seen[1].content


def test_what_cannot_be_asked_is_said_and_refused_where_nothing_can(tmp_path: Path) -> None:
    def fails(request: Request) -> Completion:
        return Completion(request.key, "the prompt is longer than the window", "error", 0)

    with pytest.raises(ModelError, match="longer than the window"):
        made(table(tmp_path), fails)


def test_paragraphs_as_people_write_them_are_put_to_the_model_or_kept() -> None:
    read = read_facts(PARAGRAPHS)
    told = {row.sentence or row.fact for row in made(read, lambda _: "")}
    assert told == {fact.text for fact in read.facts}
    assert sum(sentence.is_asked for sentence in sentences_of(read)) >= 25


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["Ada Voss", "sold", "it", "in 2004", ".", "\n", "not"])))
def test_no_word_of_a_model_reaches_a_row_unchecked(words: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = made(table(Path(folder)), lambda _: " ".join(words))
    known = {*RIGHT, *(part for text in RIGHT.values() for part in text.split(". "))}
    for row in rows:
        if row.sentence:
            assert row.fact.removesuffix(".") in {text.removesuffix(".") for text in known}
    said = {row.sentence or row.fact for row in rows}
    assert {fact.text for fact in table_of_text().facts} <= said


def table_of_text() -> FactTable:
    with tempfile.TemporaryDirectory() as folder:
        return table(Path(folder))


NAMES = ("Ada", "Bea", "Cleo", "Dana", "Edda", "Fay", "Gina", "Hana", "Ida", "Jana")


class Killed(BaseException):
    pass


def killed_after(limit: int, write: Write) -> Write:
    """A model that is killed behind so many requests."""
    numbers = count()

    def until(request: Request) -> str | Completion:
        if next(numbers) == limit:
            raise Killed
        return write(request)

    return until


def test_killed_and_resumed_gives_the_same_bytes(tmp_path: Path) -> None:
    """With batches of one request, after each number of them."""
    text = "\n".join(f"{name} Voss owns the mill and rents the hall." for name in NAMES)
    facts = table(tmp_path, text, "a.txt")

    def right(request: Request) -> str:
        name = asked(request).split()[0]
        if len(name) == 3 and not request.opening:
            return "The mill is old."
        whole = f"{name} Voss owns the mill. {name} Voss rents the hall."
        return whole.removeprefix(request.opening)

    def sheet(write: Write, journal: Path) -> bytes:
        rows = sheet_rows([facts], [made(facts, write, journal, batch_size=1)])
        return sheet_content(tmp_path / "out.csv", rows)

    undisturbed = sheet(right, tmp_path / "whole.journal")
    assert undisturbed.count(b"rents the hall.,a.txt") == len(NAMES)
    assert undisturbed.count(b"mill and rents the hall.,\r\n") == 2 * len(NAMES)
    for limit in (1, 5, 9, 12):
        journal = tmp_path / f"{limit}.journal"
        with pytest.raises(Killed):
            sheet(killed_after(limit, right), journal)
        assert sheet(right, journal) == undisturbed

    def never(request: Request) -> str:
        raise AssertionError("it stood in the journal")

    assert sheet(never, tmp_path / "whole.journal") == undisturbed
