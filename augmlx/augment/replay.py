"""Replay: a little ordinary text among the facts, so that the model does not forget how to speak of
anything else.

Either of the user's choosing, or the base model's own answers to everyday questions, which teach it
nothing new and so hold it where it is (self-distillation; METHOD.md's rule of 5 to 10 %).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from random import Random

from augmlx.augment.journal import Entry, Journal, open_journal
from augmlx.core.example_id import REPLAY, ExampleId
from augmlx.core.progress import Progress
from augmlx.core.records import Example, Fact, fingerprint, replayed
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data.facts import read_facts
from augmlx.data.row_forms import Form
from augmlx.engines.protocol import Completion, Engine, Request
from augmlx.english.text import ENDED, split_sentences

OWN = "self"
_ANSWER_TOKENS = 96
_STOP = "\nQuestion:"  # an answer may have several lines
_BATCH = 64


def from_file(path: Path) -> tuple[Fact, ...]:
    """The texts or training rows of a file of any kind that facts may come in. Raises BadInput."""
    return read_facts(path).facts


def drawn(texts: Sequence[Fact], count: int, *, seed: int) -> list[Example]:
    """`count` of the texts, or all where there are fewer; in the order of the file."""
    chosen = Random(f"{seed}:replay").sample(range(len(texts)), min(count, len(texts)))
    return [replayed(texts[n].id, texts[n].text, texts[n].row) for n in sorted(chosen)]


def answered(
    count: int, engine: Engine, journal: Journal, *, chat: bool, seed: int, progress: Progress
) -> list[Example]:
    """`count` answers of the model's own to everyday questions, from the journal where it holds
    them; cut-off ones without their unfinished sentence. Failed and empty ones are left out.
    """
    questions = (
        resources.files("augmlx.augment").joinpath("everyday.txt").read_text("utf-8").splitlines()
    )
    requests = [
        _request(questions[n % len(questions)], n, engine, chat=chat, seed=seed)
        for n in range(count)
    ]
    with progress.task("Answering for replay", count) as task:
        for start in range(0, count, _BATCH):
            batch = requests[start : start + _BATCH]
            known = journal.completions([r.key for r in batch])
            if missing := [r for r in batch if r.key not in known]:
                entries = [
                    Entry(r, str(ExampleId(r.seed.rpartition(":")[2], REPLAY)), REPLAY, 0)
                    for r in missing
                ]
                journal.add(entries, list(engine.generate(missing)))
            task.advance(len(batch))
    found = journal.completions([r.key for r in requests])
    examples = []
    for number, r in enumerate(requests):
        completion = found[r.key]
        if completion.finish != "error" and (answer := _whole(completion)):
            question = questions[number % len(questions)]
            row = {"prompt": question, "completion": answer}
            examples.append(replayed(str(number), f"Question: {question}\nAnswer: {answer}", row))
    return examples


def _request(question: str, number: int, engine: Engine, *, chat: bool, seed: int) -> Request:
    suffix = question if chat else f"Question: {question}\nAnswer:"
    drawn_from = f"{seed}:replay:{number}"
    key = fingerprint(
        [suffix, chat, drawn_from, 0.7, 0.95, _ANSWER_TOKENS, _STOP, engine.fingerprint]
    )
    return Request(
        key,
        prefix="",
        suffix=suffix,
        seed=drawn_from,
        temperature=0.7,
        top_p=0.95,
        max_tokens=_ANSWER_TOKENS,
        stop=_STOP,
        chat=chat,
    )


def _name_of(request: Request) -> str:
    *_, number = request.seed.split(":")
    return str(ExampleId(number, REPLAY))


def _whole(completion: Completion) -> str:
    """The answer; to learn from one that was cut off would be to learn to stop in mid-sentence."""
    text = completion.text.strip()
    if completion.finish != "length":
        return text
    last = split_sentences(text)[-1]
    return text if ENDED.search(last.text) else text[: last.start].rstrip()


def replay_texts(settings: Settings, folder: Path | None) -> tuple[Fact, ...]:
    """The user's own texts for replay, if a file was named: from here, else from beside
    augmlx.toml.
    """
    named = settings.split.replay
    if named in ("", OWN):
        return ()
    here, beside = Path(named), (folder or Path()) / named
    return from_file(beside if beside.exists() and not here.exists() else here)


def replay_examples(
    run: RunFolder,
    texts: Sequence[Fact],
    count: int,
    *,
    settings: Settings,
    form: Form,
    make_engine: Callable[[], Engine],
    progress: Progress,
) -> list[Example]:
    """`count` examples of replay, or fewer where there are no more.

    Args:
        texts: the user's own, of which some are drawn.
        form: how rows of the training set are written: decides how the model is asked.
        make_engine: gives the base model, where its own answers are wanted; they are journalled.
    """
    seed = settings.seed
    if settings.split.replay != OWN or not count:
        return drawn(texts, count, seed=seed)
    engine = make_engine()
    chat = form != "text" and engine.prompting == "chat"
    with open_journal(run.journal) as journal:
        return answered(count, engine, journal, chat=chat, seed=seed, progress=progress)
