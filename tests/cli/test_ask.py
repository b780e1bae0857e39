"""augmlx ask: a question, lines of them, and a chat on a terminal, with a tiny model."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny import trusted, write_model

from augmlx.cli import answers_view, cli
from augmlx.core.run_folder import RunFolder
from augmlx.engines import local
from augmlx.engines.protocol import Request
from augmlx.models.store.folder import StoredModel, find

TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"
NAMES = ("Ada", "Bea", "Cleo", "Dana")
PLAIN = "fact\n" + "".join(f"{name} owns the {name} mill.\n" for name in NAMES)
CHATS = "".join(
    json.dumps(
        {
            "messages": [
                {"role": "user", "content": f"Who owns the {name} mill?"},
                {"role": "assistant", "content": f"{name}."},
            ]
        }
    )
    + "\n"
    for name in NAMES
)


def invoke(*arguments: str | Path, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(
        cli, [str(argument) for argument in arguments], input=stdin, prog_name="augmlx"
    )


def made(folder: Path, facts: str, text: str) -> Path:
    """A run that is trained and no more."""
    model = write_model(folder / "tiny", max_position_embeddings=4096)
    path = model.path / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": TEMPLATE}))
    trusted(find(model.path))
    (folder / facts).write_text(text)
    settings = [
        "augment.operators=['reversal']",
        "augment.max_tokens=4",
        "train.epochs=6",
        "train.rank=2",
    ]
    pairs = [part for pair in (*settings, "train.learning_rate=0.01") for part in ("--set", pair)]
    run = folder / "run"
    for done in (
        invoke("augment", folder / facts, "-o", run, "--model", model.path, *pairs),
        invoke("train", run),
    ):
        assert done.exit_code == 0, done.output
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("plain"), "facts.csv", PLAIN)


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("chats"), "facts.jsonl", CHATS)


def expected(run: Path, text: str, max_tokens: int = 48, *, chat: bool = False) -> dict[str, str]:
    """What two engines of their own answer."""
    from augmlx.models.store import folder as store

    model: StoredModel = store.find(str(run.parent / "tiny"))
    stop = "" if chat else "\n"
    request = Request.greedy("k", text, max_tokens=max_tokens, stop=stop, chat=chat)
    engines = {
        "base": local.mlx_engine(model, None),
        "augmented": local.mlx_engine(model, run / "adapter"),
    }
    return {arm: next(engine.generate([request])).text.strip() for arm, engine in engines.items()}


def objects(result: Result) -> list[dict[str, str]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_question_gets_a_line_from_each_arm_and_nothing_else_on_stdout(run: Path) -> None:
    done = invoke("ask", run, "Ada owns the")
    answers = expected(run, "Ada owns the")
    assert answers["base"] != answers["augmented"]
    assert "\n" not in "".join(answers.values())
    lines = [
        f"{arm:<10}{answers_view._CONTROL.sub('', text) or '(nothing)'}"
        for arm, text in answers.items()
    ]
    assert done.stdout.splitlines() == lines


def test_json_holds_the_question_and_the_answers(run: Path) -> None:
    question = "Who owns the Ada mill?"
    answers = expected(run, f"Question: {question}\nAnswer:", 9)
    asked = ("ask", run, question, "--json", "--max-tokens", "9")
    assert objects(invoke(*asked)) == [{"question": question, **answers}]
    for arm, text in answers.items():
        assert objects(invoke(*asked, "--arm", arm)) == [{"question": question, arm: text}]


def test_a_run_trained_on_chats_is_asked_in_a_chat(run: Path, chats: Path) -> None:
    question = "Who owns the Bea mill?"
    asked = ("--json", "--max-tokens", "20")
    talked = expected(chats, question, 20, chat=True)
    assert objects(invoke("ask", chats, question, *asked)) == [{"question": question, **talked}]
    as_text = expected(chats, f"Question: {question}\nAnswer:", 20)
    assert objects(invoke("ask", chats, question, *asked, "--form", "text")) == [
        {"question": question, **as_text}
    ]
    assert talked != as_text
    plain = expected(run, question, 20, chat=True)
    assert objects(invoke("ask", run, question, *asked, "--form", "chat")) == [
        {"question": question, **plain}
    ]


def test_an_adapter_folder_is_asked_as_it_is(run: Path, chats: Path) -> None:
    question, of_model = "Ada owns the", ("--model", chats.parent / "tiny")
    asked = ("ask", chats / "adapter", question, "--json", "--max-tokens", "9")
    for form, is_chat in (((), True), (("--form", "text"), False)):
        answers = expected(chats, question, 9, chat=is_chat)
        assert objects(invoke(*asked, *of_model, *form)) == [{"question": question, **answers}]
    assert "tiny" in invoke(*asked).stderr  # it lies outside of the store
    refused = invoke("ask", run, question, *of_model)
    assert refused.exit_code == 2


def test_each_line_of_stdin_is_a_question_of_its_own(run: Path, chats: Path) -> None:
    for folder in (run, chats):
        some = ("--max-tokens", "9")
        single = [
            objects(invoke("ask", folder, q, "--json", *some))[0] for q in ("Ada owns", "Bea owns")
        ]
        lines = "Ada owns\n\n  Bea owns \n"
        assert objects(invoke("ask", folder, "--json", *some, stdin=lines)) == single
        plain = invoke("ask", folder, *some, stdin=lines)
        assert plain.stdout == "".join(
            invoke("ask", folder, q, *some).stdout for q in ("Ada owns", "Bea owns")
        )
        assert plain.exit_code == 0
    assert invoke("ask", run, stdin="").stdout == ""


def test_a_line_that_does_not_fit_is_named_and_the_others_are_answered(run: Path) -> None:
    done = invoke("ask", run, "--json", stdin="Ada owns\n" + "Zorb " * 5000 + "\nBea owns\n")
    assert [answer["question"] for answer in objects(done)] == ["Ada owns", "Bea owns"]
    assert done.exit_code == 1
    assert "error: line 2: the question cannot be asked" in done.stderr
    assert "Zorb" not in done.stderr
    done = invoke("ask", run, "--json", stdin=b"Ada \xff\n\xef\xbb\xbfBea owns\n")
    assert (done.exit_code, [answer["question"] for answer in objects(done)]) == (1, ["Bea owns"])
    assert "error: line 1: is not UTF-8" in done.stderr


def test_a_run_in_use_and_one_without_an_adapter_are_refused(run: Path, tmp_path: Path) -> None:
    with RunFolder(run).lock():
        refused = invoke("ask", run, "Ada")
    assert refused.exit_code == 1
    assert "another augmlx process" in refused.stderr
    done = invoke(
        "augment", run.parent / "facts.csv", "-o", tmp_path / "run", "--model", run.parent / "tiny"
    )
    assert done.exit_code == 0
    refused = invoke("ask", tmp_path / "run", "Ada")
    assert refused.exit_code == 1
    assert "train is not finished" in refused.stderr


def test_an_answer_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    streams = {"base": iter(["a\x1b]0;t\x07\x9b2J", "b\nc"]), "augmented": iter(())}
    answers = answers_view._stacked(streams, live=True)
    assert answers == {"base": "a\x1b]0;t\x07\x9b2Jb\nc", "augmented": ""}
    assert capsys.readouterr().out == "base      a]0;t2Jb\n          c\naugmented (nothing)\n"


# A terminal


class Terminal:
    """augmlx ask in a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], handle: int) -> None:
        self.process, self._handle, self.shown = process, handle, ""

    def type(self, text: str) -> None:
        os.write(self._handle, text.encode())

    def until(self, text: str, seconds: float = 60) -> str:
        """What is shown from here on up to `text`."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end, self.shown
            if not self._read():
                break
        before, found, self.shown = self.shown.partition(text)
        assert found, before
        return before

    def rest(self, seconds: float = 60) -> str:
        """What is shown up to the end of the process."""
        end = time.monotonic() + seconds
        while self._read():
            assert time.monotonic() < end, self.shown
        self.process.wait(60)
        return self.shown

    def interrupt(self) -> str:
        """Ctrl-C at the prompt, as often as it takes: one that comes between the prompt and the
        wait for a key is only seen by Python's input() at the next key or signal.
        """
        for _ in range(60):
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1)
                break
        return self.rest()

    def _read(self, seconds: float = 60) -> bool:
        ready, _, _ = select.select([self._handle], [], [], seconds)
        assert ready, self.shown
        try:
            data = os.read(self._handle, 4096)
        except OSError:  # Linux says so where the other end is closed
            return False
        self.shown += re.sub(
            r"\x1b\[[0-9;?]*[A-Za-z]", "", data.decode("utf-8", "replace")
        ).replace("\r", "")
        return bool(data)


@contextmanager
def terminal(
    *arguments: str | Path, columns: int = 80, home: Path | None = None
) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    told = {"TERM": "xterm", "COLUMNS": str(columns), "LINES": "40", "PYTHONUTF8": "1"}
    words = [
        sys.executable,
        "-c",
        "from augmlx.cli import main; main()",
        "ask",
        *map(str, arguments),
    ]
    environment = {**os.environ, **told, **({"HOME": str(home)} if home else {})}
    with subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, process_group=0
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            os.close(ours)


def test_a_chat_goes_on_until_it_is_ended(run: Path, tmp_path: Path) -> None:
    single = invoke("ask", run, "Ada owns the", "--max-tokens", "6").stdout
    with terminal(run, "--max-tokens", "6", home=tmp_path) as chat:
        chat.until("you> ")
        with RunFolder(run).lock():  # which the chat has given back
            chat.type("Ada owns the\n")
            assert chat.until("you> ").endswith(single)
        chat.type("/clear\n\n/help\n")
        assert "no such command" in chat.until("/quit\n")
        chat.type("Ada owns the\n")
        chat.until(single)
        chat.type("/quit\n")
        chat.rest()
        assert chat.process.returncode == 0
    assert list(tmp_path.iterdir()) == []  # no history of what was asked


def test_a_chat_outlives_a_question_that_does_not_fit_and_ends_with_its_input(run: Path) -> None:
    with terminal(run, "--max-tokens", "4090") as chat:
        chat.until("you> ")
        chat.type("Ada owns the Ada mill and the Bea mill\n")
        assert "error: the question cannot be asked" in chat.until("hint: ")
        chat.until("you> ")
        chat.type("\x04")
        chat.rest()
        assert chat.process.returncode == 0


def test_ctrl_c_stops_an_answer_and_then_the_chat(chats: Path) -> None:
    with terminal(chats, "--arm", "base", "--max-tokens", "4000") as chat:
        chat.until("you> ")
        chat.type("Who owns the Ada mill?\n")
        chat.until("base ")
        chat.process.send_signal(signal.SIGINT)
        chat.until("stopped; this question is not remembered")
        chat.until("you> ")
        chat.interrupt()
        assert chat.process.returncode == 130


def test_a_chat_that_is_told_to_terminate_does_so_in_the_midst_of_an_answer(chats: Path) -> None:
    with terminal(chats, "--arm", "base", "--max-tokens", "4000") as chat:
        chat.until("you> ")
        chat.type("Who owns the Ada mill?\n")
        chat.until("base ")
        chat.process.send_signal(signal.SIGTERM)
        assert "not remembered" not in chat.rest()
        assert chat.process.returncode == 130


@pytest.mark.parametrize("columns", [80, 120])
def test_a_wide_terminal_shows_the_answers_beside_each_other(run: Path, columns: int) -> None:
    with terminal(run, "Ada owns the", "--max-tokens", "6", columns=columns) as shown:
        screen = shown.rest().rstrip()
        assert shown.process.returncode == 0
    if columns < 100:
        assert screen + "\n" == invoke("ask", run, "Ada owns the", "--max-tokens", "6").stdout
    else:
        answers = objects(invoke("ask", run, "Ada owns the", "--max-tokens", "6", "--json"))[0]
        # A frame begins where the one before it was written over, here in its last line.
        *_, head = re.finditer(r"base +(?=augmented *\n)", screen)
        [_, row] = screen[head.start() :].split("\n")
        at = len(head.group())
        shown_as = [answers_view._CONTROL.sub("", answers[arm]) for arm in ("base", "augmented")]
        assert [row[:at].strip(), row[at:].strip()] == shown_as


def test_a_run_whose_questions_were_trained_as_chats_is_asked_in_a_chat(run: Path) -> None:
    rows = run / "data" / "train.jsonl"
    before = rows.read_text()
    chat = {"id": "x/qa-reverse/0#1", **json.loads(CHATS.splitlines()[0])}
    question = "Who owns the Bea mill?"
    try:
        rows.write_text(before + json.dumps(chat) + "\n")
        (answers,) = objects(invoke("ask", run, question, "--json", "--max-tokens", "9"))
    finally:
        rows.write_text(before)
    assert answers == {"question": question, **expected(run, question, 9, chat=True)}
