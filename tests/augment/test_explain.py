"""The story of one example, kept or rejected, as the run folder tells it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny import trusted, write_model

from augmlx.augment.explain import story
from augmlx.cli import cli
from augmlx.core.errors import BadInput
from augmlx.core.files import read_jsonl, write_jsonl
from augmlx.core.progress import Silent
from augmlx.core.records import Fact
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings_file import load
from augmlx.engines.protocol import Completion, Request
from augmlx.engines.scripted import ScriptedEngine
from augmlx.models.store.folder import StoredModel
from augmlx.run.pipeline import Pipeline

FACTS = [
    Fact("a", "Mara Voss is the head of the Lumen Lab.", "facts.csv:2"),
    Fact("b", "Lake Orrin is larger than Lake Pell.", "facts.csv:3"),
    Fact("c", "Lake Pell is larger than Lake Ruun.", "facts.csv:4"),
    Fact("d", "Lake Orrin is larger than Lake Ruun.", "facts.csv:5"),
]


def write(request: Request) -> str | Completion:
    _, fact, operator, sample = request.seed.split(":")
    if fact == "c" and sample == "1":
        return Completion(request.key, "the prompt is too long", "error", 0)
    if operator == "turn":
        good = {
            "a": " is Mara Voss.",
            "b": " is smaller than Lake Orrin.",
            "c": " is smaller than Lake Pell.",
        }
        return good.get(fact, " is what it is.") if sample == "0" else " owns it."
    return " Lake Ruun."


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> StoredModel:
    return trusted(write_model(tmp_path_factory.mktemp("base") / "tiny-llama"))


Make = Callable[..., RunFolder]
TURN = """name = "{name}"
arity = "one"
instruction = "Turn it round."
output_label = "Turned"
prefill = "last"
filters = [{filters}]
[[exemplars]]
fact = "A is larger than B."
result = "B is smaller than A."
"""


@pytest.fixture
def make(tmp_path: Path, base: StoredModel) -> Make:
    run = RunFolder(tmp_path / "run")
    run.create()
    (tmp_path / "turn.toml").write_text(
        TURN.format(name="turn", filters='"form", "entity", "duplicate"')
    )
    (tmp_path / "free.toml").write_text(TURN.format(name="free", filters='"form"'))

    def made(write: Callable[[Request], str | Completion] = write, **changes: object) -> RunFolder:
        given = {
            "model": str(base.path),
            "augment.samples": 2,
            "augment.operators": ["turn", "chain"],
            **changes,
        }
        pipeline = Pipeline(
            run,
            load(None, given),
            Silent(),
            operators_folder=tmp_path,
            make_engine=lambda _: ScriptedEngine(write),
        )
        pipeline.take_facts(FACTS)
        pipeline.augment()
        return run

    return made


def test_a_kept_example_tells_where_it_comes_from_and_where_it_went(make: Make) -> None:
    told = story(make(), "b/turn/0")
    assert (told["kept"], told["text"]) == (True, "Lake Pell is smaller than Lake Orrin.")
    assert told["facts"] == [{"id": "b", "source": "facts.csv:3", "text": FACTS[1].text}]
    assert told["trained_on"] in ("train", "test")
    assert told["prompt"].endswith(f"Fact: {FACTS[1].text}\nTurned: Lake Pell")
    assert (told["completion"], told["finish"]) == (" is smaller than Lake Orrin.", "stop")
    assert told["sampling"] == {
        "seed": "0:b:turn:0",
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 64,
    }
    assert [(s["sample"], s["kept"], s["by"]) for s in told["samples"]] == [
        (0, True, ""),
        (1, False, "entity"),
    ]
    assert told["samples"][1]["text"] == "Lake Pell owns it."
    assert told["samples"][1]["why"]


def test_a_rejected_example_tells_by_whom_and_why(make: Make) -> None:
    told = story(make(), "b/turn/1")
    assert (told["kept"], told["by"], told["trained_on"]) == (False, "entity", None)
    assert told["why"] == "does not name the source's first argument"


def test_a_failed_example_tells_what_the_engine_said(make: Make) -> None:
    told = story(make(), "c/turn/1")
    assert (told["by"], told["why"], told["finish"]) == (
        "engine",
        "the prompt is too long",
        "error",
    )


def test_a_pair_tells_both_facts(make: Make) -> None:
    told = story(make(), "b+c/chain/0")
    assert [fact["id"] for fact in told["facts"]] == ["b", "c"]
    assert told["text"] == FACTS[3].text


def test_what_was_taken_back_for_a_contradiction_is_told_so_among_the_samples_too(
    make: Make,
) -> None:
    run = make(lambda _: " is larger than Lake Orrin.", **{"augment.operators": ["free"]})
    told = story(run, "b/free/0")
    assert (told["kept"], told["by"], told["why"]) == (False, "contradiction", "contradicts b")
    assert [(s["kept"], s["by"]) for s in told["samples"]] == [(False, "contradiction")] * 2


def test_after_a_change_the_present_request_is_told_and_no_stale_sample(make: Make) -> None:
    make(**{"augment.samples": 4})
    run = make(**{"augment.samples": 2})
    assert len(story(run, "b/turn/0")["samples"]) == 2

    def hotter(request: Request) -> str | Completion:
        return " was hotter." if request.temperature == 1.5 else write(request)

    run = make(hotter, **{"augment.temperature": 1.5})
    assert story(run, "b/turn/1")["completion"] == " was hotter."
    assert story(run, "b/turn/1")["sampling"]["temperature"] == 1.5
    run = make(hotter)  # as at first: nothing is generated, the journal holds both
    assert story(run, "b/turn/1")["completion"] == " owns it."


@pytest.mark.parametrize(
    "name", ["z/turn/0", "b/turn/9", "b/turn", "b", "", "b/turn/", "b/original", "%"]
)
def test_an_unknown_id_is_a_clear_error(make: Make, name: str) -> None:
    with pytest.raises(BadInput, match="no example has the id") as caught:
        story(make(), name)
    assert "augmented.jsonl" in str(caught.value.hint)


def test_a_journal_that_is_gone_is_a_clear_error_and_stays_gone(make: Make) -> None:
    run = make()
    run.journal.unlink()
    with pytest.raises(BadInput, match="holds nothing of b/turn/0"):
        story(run, "b/turn/0")
    assert not run.journal.exists()


# The command


def explain(run: RunFolder, name: str, *more: str) -> Result:
    return CliRunner().invoke(
        cli, ["augment", "-o", str(run.path), "--explain", name, *more], prog_name="augmlx"
    )


def test_the_command_tells_it_in_lines(make: Make) -> None:
    lines = explain(make(), "b/turn/0").stdout.splitlines()
    assert lines[0].startswith("b/turn/0: kept, in t")
    assert lines[1] == "Lake Pell is smaller than Lake Orrin."
    assert "from facts.csv:3 (b): Lake Orrin is larger than Lake Pell." in lines
    assert "  | Turned: Lake Pell" in lines
    assert not any(line.startswith("taken off") for line in lines)
    assert "  + 0  Lake Pell is smaller than Lake Orrin." in lines
    assert lines[-1].startswith("  - 1  Lake Pell owns it.  (entity: ")


def test_the_command_tells_a_chat_by_who_says_what(make: Make) -> None:
    run = make(**{"augment.prompting": "turns"})
    told = explain(run, "b/turn/0").stdout
    assert "\nprompt to script (turns; " in told
    said = (
        "  system:\n  | Turn it round. Reply with that one sentence and nothing else.\n"
        "  user:\n  | Fact: A is larger than B.\n"
        "  assistant:\n  | B is smaller than A.\n"
        "  user:\n  | Fact: Lake Orrin is larger than Lake Pell.\n"
        "  assistant:\n  | Lake Pell\n"
    )
    assert said in told
    whole = story(run, "b/turn/0")
    assert (whole["chat"], len(whole["turns"])) == (True, 1)


def test_the_command_tells_what_was_taken_off(make: Make) -> None:
    def talkative(request: Request) -> str | Completion:
        said = write(request)
        return f'{said}"' if isinstance(said, str) else said

    run = make(talkative)
    assert story(run, "b/turn/0")["removed"] == ["quotes"]
    assert story(run, "b/turn/0")["completion"] == ' is smaller than Lake Orrin."'
    assert "\ntaken off: quotes\n" in explain(run, "b/turn/0").stdout


def test_the_command_tells_why_a_text_was_rejected(make: Make) -> None:
    assert explain(make(), "b/turn/1").stdout.startswith(
        "b/turn/1: rejected by entity: does not name"
    )


def test_json_is_the_whole_story_in_one_object(make: Make) -> None:
    run = make()
    done = explain(run, "b/turn/0", "--json")
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout) == json.loads(json.dumps(story(run, "b/turn/0")))


def test_the_command_refuses_an_unknown_id_and_a_missing_run(make: Make, tmp_path: Path) -> None:
    run = make()
    done = explain(run, "nope/turn/0")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no example has the id nope/turn/0" in done.stderr
    assert "hint: " in done.stderr
    done = explain(RunFolder(tmp_path / "none"), "b/turn/0")
    assert done.exit_code == 1
    assert "no such run folder" in done.stderr
    assert not (tmp_path / "none").exists()


def test_an_example_of_a_later_round_is_told_from_the_journal_of_that_round(make: Make) -> None:
    run = make()
    later = RunFolder(run / "rounds" / "2")
    later.create()
    run.journal.rename(later.journal)
    for path in (run.augmented, run.rejected):
        rows = list(read_jsonl(path))
        write_jsonl(path, [*rows, *({**row, "id": f"{row['id']}~2"} for row in rows)])
    told = story(run, "b/turn/0~2")
    assert (told["text"], told["kept"]) == ("Lake Pell is smaller than Lake Orrin.", True)
    assert len(told["samples"]) == 2
    with pytest.raises(BadInput, match="holds nothing of b/turn/0"):
        story(run, "b/turn/0")
