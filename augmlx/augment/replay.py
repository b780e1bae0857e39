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

OWN = "self"  # the setting for the model's own answers
_TEMPERATURE = 0.7
_TOP_P = 0.95
_ANSWER_TOKENS = 96
_STOP = "\nQuestion:"  # an answer may have several lines
_BATCH = 64


def replay_texts(settings: Settings, folder: Path | None) -> tuple[Fact, ...]:
    """The user's own texts for replay, if a file was named: from here, else from beside
    augmlx.toml.

    Raises:
        BadInput: the file is not what it should be.
    """
    name = settings.split.replay
    if name in ("", OWN):
        return ()
    here, beside = Path(name), (folder or Path()) / name
    is_beside = beside.exists() and not here.exists()
    return from_file(beside if is_beside else here)


def from_file(path: Path) -> tuple[Fact, ...]:
    """The texts or training rows of a file of any kind that facts may come in. Raises BadInput."""
    return read_facts(path).facts


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
        run: holds the journal.
        texts: the user's own, of which some are drawn.
        count: how many are wanted.
        settings: where the texts come from, and the seed.
        form: how rows of the training set are written: decides how the model is asked.
        make_engine: gives the base model, where its own answers are wanted; they are journalled.
        progress: is told how far it is.
    """
    seed = settings.seed
    if settings.split.replay != OWN or not count:
        return drawn(texts, count, seed=seed)
    engine = make_engine()
    chat = form != "text" and engine.prompting != "raw"
    with open_journal(run.journal) as journal:
        return answered(count, engine, journal, chat=chat, seed=seed, progress=progress)


def drawn(texts: Sequence[Fact], count: int, *, seed: int) -> list[Example]:
    """`count` of the texts, or all where there are fewer; in the order of the file."""
    rng = Random(f"{seed}:replay")
    most = min(count, len(texts))
    numbers = rng.sample(range(len(texts)), most)
    chosen = [texts[number] for number in sorted(numbers)]
    return [replayed(text.id, text.text, text.row) for text in chosen]


def answered(
    count: int, engine: Engine, journal: Journal, *, chat: bool, seed: int, progress: Progress
) -> list[Example]:
    """The model's own answers to everyday questions, as examples; failed and empty ones are left
    out, cut-off ones lose their unfinished sentence.

    Args:
        count: how many questions are asked; after the last the first comes again.
        engine: the base model.
        journal: gives the answers that it holds, and takes the others.
        chat: whether the model is asked through its chat template.
        seed: of the sampling.
        progress: is told how far it is.
    """
    everyday = _everyday_questions()
    questions = [everyday[number % len(everyday)] for number in range(count)]
    requests = [
        _request(question, number, engine, chat=chat, seed=seed)
        for number, question in enumerate(questions)
    ]
    with progress.task("Answering for replay", count) as task:
        for start in range(0, count, _BATCH):
            numbers = range(start, min(start + _BATCH, count))
            _answer({number: requests[number] for number in numbers}, engine, journal)
            task.advance(len(numbers))
    completions = journal.completions([request.key for request in requests])
    examples = []
    for number, (question, request) in enumerate(zip(questions, requests, strict=True)):
        answer = _whole(completions[request.key])
        if answer:
            row = {"prompt": question, "completion": answer}
            examples.append(replayed(str(number), f"Question: {question}\nAnswer: {answer}", row))
    return examples


def _everyday_questions() -> list[str]:
    file = resources.files("augmlx.augment").joinpath("everyday.txt")
    return file.read_text("utf-8").splitlines()


def _answer(batch: dict[int, Request], engine: Engine, journal: Journal) -> None:
    """Journal the answers that are missing; `batch` is number of the question -> request."""
    known = journal.completions([request.key for request in batch.values()])
    missing = {n: request for n, request in batch.items() if request.key not in known}
    if not missing:
        return
    entries = []
    for number, request in missing.items():
        example_id = ExampleId(str(number), REPLAY)
        entries.append(Entry(request, str(example_id), REPLAY, sample=0))
    completions = engine.generate(list(missing.values()))
    journal.add(entries, list(completions))


def _request(question: str, number: int, engine: Engine, *, chat: bool, seed: int) -> Request:
    suffix = question if chat else f"Question: {question}\nAnswer:"
    own_seed = f"{seed}:replay:{number}"
    sampling = [own_seed, _TEMPERATURE, _TOP_P, _ANSWER_TOKENS, _STOP]
    return Request(
        key=fingerprint([suffix, chat, *sampling, engine.fingerprint]),
        prefix="",
        suffix=suffix,
        seed=own_seed,
        temperature=_TEMPERATURE,
        top_p=_TOP_P,
        max_tokens=_ANSWER_TOKENS,
        stop=_STOP,
        chat=chat,
    )


def _whole(completion: Completion) -> str:
    """The answer, "" where there is none; to learn from one that was cut off would be to learn to
    stop in mid-sentence.
    """
    if completion.finish == "error":
        return ""
    text = completion.text.strip()
    if completion.finish != "length":
        return text
    last = split_sentences(text)[-1]
    if ENDED.search(last.text):
        return text
    return text[: last.start].rstrip()
