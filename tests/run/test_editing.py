"""An augmented.csv that was edited by hand is what the later stages see, and stays so."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny.line import TEXTS, Setup, contents, everything

from augmlx.augment.explain import story
from augmlx.cli import cli
from augmlx.core.errors import BadInput, RunError
from augmlx.core.files import read_jsonl
from augmlx.core.records import Json
from augmlx.run.everything import counts_line
from augmlx.run.pipeline import Pipeline

Row = dict[str, str]
QUESTIONS = {"augment.operators": ["reversal", "qa-forward"]}
CHANGED = "The Elm shop is a work of Cy Dahl."
ADDED = "It is Fay Gold who painted the Hill gate."


def rows_of(setup: Setup) -> list[Row]:
    with setup.run.augmented_csv.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_csv(rows: list[Row], delimiter: str = ",", end: str = "\n") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(
        text, ["fact", "type", "id", "sources"], delimiter=delimiter, lineterminator=end
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def edited(rows: list[Row]) -> list[Row]:
    """The first reversal struck out, the second changed, a text added."""
    left = [dict(row) for row in rows if row["id"] != "f0001/reversal/0"]
    [second] = [row for row in left if row["id"] == "f0002/reversal/0"]
    second["fact"] = CHANGED
    return [*left, {"fact": ADDED, "type": "reversal", "id": "", "sources": "f0003"}]


def augmented(setup: Setup, path: Path | None, **changes: object) -> tuple[Pipeline, Json]:
    """What the command does, in its order."""
    pipeline = setup.open(**changes)
    pipeline.take_edits(path)
    return pipeline, pipeline.augment()


@pytest.fixture
def file(setup: Setup, tmp_path: Path) -> Path:
    setup.open().augment()
    path = tmp_path / "mine.csv"
    path.write_text(as_csv(edited(rows_of(setup))))
    return path


def test_what_was_edited_is_what_is_trained_on(setup: Setup, file: Path) -> None:
    _, counts = augmented(setup, file, **{"split.test": 0.0})
    assert counts["by_hand"] == {"struck": 1, "changed": 1, "added": 1, "gone": 0}
    kept = {example.id: example for example in setup.run.kept_examples()}
    rejected = list(read_jsonl(setup.run.rejected))
    assert counts["produced"] == counts["kept"] + counts["rejected"] + counts["failed"]
    assert (len(kept), len(rejected)) == (counts["kept"] + 1, counts["rejected"])
    assert counts["by"]["user"] == 1
    assert sum(counts["by_operator"]["reversal"].values()) == 6
    [struck] = [row for row in rejected if row["by"] == "user"]
    assert (struck["id"], struck["why"]) == ("f0001/reversal/0", "struck out by hand")
    changed, added = kept["f0002/reversal/0"], kept["f0003/by-hand/0"]
    assert (changed.text, changed.origin.engine) == (CHANGED, "edited")
    assert changed.origin.model != ""  # a model's text was changed
    assert (added.text, added.origin.engine, added.origin.model) == (ADDED, "user", "")
    assert (added.origin.operator, added.origin.fact_ids) == ("reversal", ("f0003",))
    trained = {row["id"]: row["text"] for row in read_jsonl(setup.run.train_rows)}
    assert trained["f0002/reversal/0"] == CHANGED
    assert trained["f0003/by-hand/0"] == ADDED
    assert "f0001/reversal/0" not in trained
    missing = [row["fact"] for row in read_jsonl(setup.run.uncovered) if row["by"] == "user"]
    assert missing == ["f0001"]


def test_the_whole_line_goes_over_edits_and_then_does_nothing(setup: Setup, file: Path) -> None:
    pipeline = setup.open()
    pipeline.take_edits(file)
    everything(pipeline)
    before, written = contents(setup.run.path), setup.generated
    for path in (file, None):
        pipeline = setup.open()
        pipeline.take_edits(path)
        everything(pipeline)
        assert contents(setup.run.path) == before
        assert any(
            "edits by hand are in force: 1 struck out, 1 changed, 1 added" in line
            for line in setup.progress.said
        )
    assert setup.generated == written


def test_a_run_killed_over_its_edits_goes_on_to_the_same_bytes(setup: Setup, file: Path) -> None:
    before = setup.run.augmented.read_bytes()
    augmented(setup, file)
    others = ("manifest.json", "journal.sqlite")  # a time; a counter of SQLite's
    whole = contents(setup.run.path, without=others)
    setup.run.forget(["augment", "split"])
    setup.run.augmented.write_bytes(before)  # as it is before the edits are done
    augmented(setup, file)
    assert contents(setup.run.path, without=others) == whole


def test_the_runs_own_file_is_edited_in_place_and_again(setup: Setup, file: Path) -> None:
    own = setup.run.augmented_csv
    own.write_bytes(file.read_bytes())
    augmented(setup, own)
    before = setup.run.augmented.read_bytes()
    augmented(setup, own)  # rewritten meanwhile: what was added has an id now
    assert "augment: up to date" in setup.progress.said
    assert setup.run.augmented.read_bytes() == before
    rows = rows_of(setup)
    [added] = [row for row in rows if row["id"] == "f0003/by-hand/0"]
    rows.remove(added)
    own.write_text(as_csv(rows))
    _, counts = augmented(setup, own)
    assert counts["by_hand"] == {"struck": 1, "changed": 1, "added": 0, "gone": 0}


def test_edits_are_taken_back(setup: Setup, file: Path) -> None:
    before = [setup.run.augmented.read_bytes(), setup.run.augmented_csv.read_bytes()]
    augmented(setup, file)
    _, counts = augmented(setup, Path("none"))
    assert "by_hand" not in counts
    assert [setup.run.augmented.read_bytes(), setup.run.augmented_csv.read_bytes()] == before
    assert not setup.run.edited.exists()


def test_a_file_of_before_the_edits_takes_them_back_too(setup: Setup, file: Path) -> None:
    whole = as_csv(rows_of(setup))
    before = setup.run.augmented.read_bytes()
    augmented(setup, file)
    file.write_text(whole)
    augmented(setup, file)
    assert setup.run.augmented.read_bytes() == before
    assert not setup.run.edited.exists()


def test_edits_hold_when_the_augmentation_is_done_again(setup: Setup, file: Path) -> None:
    augmented(setup, file)
    again = {"augment.samples": 2, "augment.operators": ["reversal"]}
    for path in (None, file):  # the same file strikes nothing out that it does not know
        _, counts = augmented(setup, path, **again)
        assert counts["by_hand"] == {"struck": 1, "changed": 1, "added": 1, "gone": 0}
        assert counts["kept"] == 5
    # Where the model does not write them any more, what the user has written stands all the same.
    setup.writer = lambda _: " nobody at all."
    _, counts = augmented(setup, None, seed=7)
    assert counts["by_hand"] == {"struck": 0, "changed": 0, "added": 2, "gone": 0}
    texts = [example.text for example in setup.run.kept_examples()]
    assert texts == [CHANGED, ADDED]
    # And the run's own file, given back, forgets nothing of it.
    before = list(read_jsonl(setup.run.edited))[1:]
    augmented(setup, setup.run.augmented_csv, seed=7)
    after = list(read_jsonl(setup.run.edited))[1:]
    assert sorted(map(str, after)) == sorted(map(str, before))


def test_edits_of_facts_that_are_gone_do_nothing(setup: Setup, file: Path) -> None:
    augmented(setup, file)
    setup.facts.write_text("id,fact\n" + "".join(f"f000{n},{TEXTS[n - 1]}\n" for n in (1, 2, 4)))
    _, counts = augmented(setup, None)
    assert counts["by_hand"] == {"struck": 1, "changed": 1, "added": 0, "gone": 1}
    assert counts_line(counts).endswith(
        "0 failed; by hand 1 struck out, 1 changed, 0 added, 1 of facts that are gone"
    )


@pytest.mark.parametrize(
    "saved",
    [
        lambda rows: codecs.BOM_UTF8 + as_csv(rows, end="\r\n").encode(),
        lambda rows: as_csv(rows, ";", "\r\n").encode(),
        lambda rows: codecs.BOM_UTF8 + as_csv(rows, "\t", "\r").encode(),
    ],
)
def test_a_file_is_read_as_spreadsheets_save_it(
    setup: Setup, file: Path, saved: Callable[[list[Row]], bytes]
) -> None:
    file.write_bytes(saved(edited(rows_of(setup))))
    _, counts = augmented(setup, file)
    assert counts["by_hand"] == {"struck": 1, "changed": 1, "added": 1, "gone": 0}


def test_facts_that_are_left_out_are_told_and_trained_on(setup: Setup, file: Path) -> None:
    file.write_text(as_csv([row for row in rows_of(setup) if row["type"] != "original"]))
    augmented(setup, file)
    assert any(
        "lacks 6 of the 6 facts; they are trained on" in text for text in setup.progress.said
    )
    assert {row["id"] for row in read_jsonl(setup.run.train_rows)} >= {"f0001/original"}


def test_a_question_is_edited_with_its_answer(setup: Setup, file: Path, tmp_path: Path) -> None:
    operator = tmp_path / "ask.toml"
    operator.write_text(
        'name = "ask"\narity = "one"\ninstruction = "Ask."\nanswer = "last"\nfilters = []\n'
        'output = "Question: {{ result }}\\nAnswer: {{ answer }}"\n'
        '[[exemplars]]\nfact = "A is B."\nanswer = "B"\nresult = "What is A?"\n'
    )

    def open_asking(path: Path | None) -> Pipeline:
        pipeline = setup.open(**{"augment.operators": ["ask"], "augment.samples": 1})
        pipeline.operators_folder = tmp_path
        pipeline.take_edits(path)
        pipeline.augment()
        return pipeline

    setup.writer = lambda _: " What is meant here?"
    open_asking(None)
    rows = rows_of(setup)
    [row] = [row for row in rows if row["id"] == "f0001/ask/0"]
    row["fact"] = "Question: What does Ada Brandt own?\r\nAnswer: the Bor mill"
    rows.append(
        {
            "fact": "Question: Who owns the Bor mill? Answer: Ada Brandt",
            "type": "ask",
            "id": "",
            "sources": "f0001",
        }
    )
    file.write_text(as_csv(rows))
    open_asking(file)
    kept = {example.id: example for example in setup.run.kept_examples()}
    assert kept["f0001/ask/0"].row == {
        "prompt": "What does Ada Brandt own?",
        "completion": "the Bor mill",
    }
    assert kept["f0001/by-hand/0"].text == "Question: Who owns the Bor mill?\nAnswer: Ada Brandt"
    for broken in ("Question: What does Ada Brandt own?", "Question: What? \n Answer:"):
        row["fact"] = broken
        file.write_text(as_csv(rows))
        with pytest.raises(BadInput, match=r"mine\.csv:\d+: a question without its answer") as told:
            open_asking(file)
        assert "Question: ... / Answer: ..." in (told.value.hint or "")


def changed(number: int, **cells: str) -> Callable[[list[Row]], list[Row]]:
    """The row of that number (from 0: the facts, then their reversals) with other cells."""

    def change(rows: list[Row]) -> list[Row]:
        rows[number] |= cells
        return rows

    return change


def added(**cells: str) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: [
        *rows,
        {"fact": "SECRET.", "type": "reversal", "id": "", "sources": "f0001", **cells},
    ]


REFUSED: dict[str, tuple[Callable[[list[Row]], list[Row]], str, str]] = {
    "a fact that is changed": (
        changed(1, fact="SECRET."),
        "mine.csv:3: the fact f0002 is not as it is in facts.csv:3",
        "in their own file",
    ),
    "a fact that is added": (
        added(type="original"),
        "mine.csv:14: a fact that this run is not over",
        "facts' own file",
    ),
    "a fact of another run": (
        changed(0, id="f0099/original"),
        "mine.csv:2: a fact that this run is not over",
        "facts' own file",
    ),
    "an id of another run": (
        changed(6, id="f0001/chain/3"),
        "mine.csv:8: no text of this run has the id of the row",
        "has no id",
    ),
    "an id that stands twice": (
        changed(7, id="f0001/reversal/0"),
        "mine.csv:9: the id is already that of line 8",
        "delete one of the two",
    ),
    "no text": (changed(6, fact=" "), "mine.csv:8: no text in 'fact'", "delete the row"),
    "another type": (
        changed(6, type="rephrase"),
        "mine.csv:8: the type of this text is reversal",
        "put it back",
    ),
    "no type": (added(type=""), "mine.csv:14: a text of your own needs a 'type'", "rephrase"),
    "an unknown fact": (
        added(sources="f0001 SECRET"),
        "mine.csv:14: 'sources' does not name facts of this run",
        "the id of the fact",
    ),
    "no fact": (added(sources=""), "mine.csv:14: 'sources' does not name facts", "the id of"),
    "nothing that is of this run": (
        lambda rows: [{**row, "fact": "SECRET."} for row in rows[6:]],
        "mine.csv: no row of it is as this run has written it",
        "leave the facts in",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    setup: Setup, file: Path, name: str
) -> None:
    change, fault, hint = REFUSED[name]
    file.write_text(as_csv(change(rows_of(setup))))
    before = contents(setup.run.path)
    with pytest.raises(BadInput) as told:
        setup.open().take_edits(file)
    assert fault in told.value.message
    assert hint in (told.value.hint or "")
    assert "SECRET" not in told.value.render()
    assert contents(setup.run.path) == before


@pytest.mark.parametrize("field", ["fact", "type", "id", "sources"])
def test_a_file_without_a_column_is_refused(setup: Setup, file: Path, field: str) -> None:
    file.write_text(as_csv(rows_of(setup)).replace(field, "other", 1))
    with pytest.raises(BadInput, match=rf"mine\.csv:1: no column '{field}'; columns found: "):
        setup.open().take_edits(file)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (codecs.BOM_UTF16_LE + "fact;type".encode("utf-16-le"), ":1: no column 'fact'"),
        (b"", ": the file is empty"),
        (None, ": no such file"),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    setup: Setup, file: Path, content: bytes | None, fault: str
) -> None:
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadInput) as told:
        setup.open().take_edits(file)
    assert f"mine.csv{fault}" in told.value.message


def test_there_is_nothing_to_edit_before_the_run_is_augmented(setup: Setup, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("fact,type,id,sources\nA is B.,reversal,,f0001\n")
    with pytest.raises(RunError, match="is not augmented"):
        setup.open().take_edits(path)


def test_the_story_of_a_text_tells_what_was_done_by_hand(setup: Setup, file: Path) -> None:
    augmented(setup, file)
    assert story(setup.run, "f0003/by-hand/0")["engine"] == "user"
    told = story(setup.run, "f0002/reversal/0")
    assert (told["engine"], told["text"]) == ("edited", CHANGED)
    assert told["completion"] == " Cy Dahl."  # what the model wrote
    struck = story(setup.run, "f0001/reversal/0")
    assert (struck["kept"], struck["by"]) == (False, "user")
    command = ["augment", "-o", str(setup.run.path), "--explain"]
    said = CliRunner().invoke(cli, [*command, "f0003/by-hand/0"]).stdout.splitlines()
    assert said[1:] == [ADDED, "", f"from facts.csv:4 (f0003): {TEXTS[2]}", "written by hand"]
    said = CliRunner().invoke(cli, [*command, "f0002/reversal/0"]).stdout.splitlines()
    assert "changed by hand; what the model wrote follows" in said
