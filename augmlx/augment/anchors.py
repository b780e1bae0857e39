"""The anchors of a run: texts that have nothing to do with its facts, at which training holds the
model where it was (training/anchoring.py).

They are the base model's own, so that they teach it nothing: how it goes on with ordinary
beginnings, and what it answers to everyday questions, to questions about what is known to everyone
and to other requests, also in other words and behind one of the facts: what is near a fact in a
prompt is not therefore about it. Or they are texts of the user's choosing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from augmlx.augment import anchor_store
from augmlx.augment.journal import Entry, Journal, open_journal
from augmlx.core.example_id import ANCHOR, ExampleId
from augmlx.core.files import write_jsonl
from augmlx.core.progress import Progress
from augmlx.core.records import Fact, Json, fingerprint
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import OWN_ANCHORS, Settings
from augmlx.data.facts import facts_of_run, read_facts
from augmlx.data.wordings import in_other_words, is_english
from augmlx.engines.protocol import Engine, Request
from augmlx.english.prompts import question_in_text
from augmlx.models.store.folder import StoredModel

_TEMPERATURE, _TOP_P = 0.9, 0.95
_TEXT_TOKENS, _ANSWER_TOKENS, _NAME_TOKENS = 40, 40, 16
_EVERYDAY = 28  # questions
_BATCH = 64


class _Source(NamedTuple):
    """What the base model is asked for one anchor; `is_question`: through its chat template, where
    it has one.
    """

    text: str
    is_question: bool
    max_tokens: int


@dataclass(frozen=True, slots=True)
class _Shipped:
    """anchors.toml and everyday.txt."""

    openers: Sequence[str]
    everyday: Sequence[str]
    known: Sequence[str]
    requests: Sequence[str]


@cache
def shipped() -> _Shipped:
    """What every run has its anchors made from."""
    folder = resources.files("augmlx.augment")
    lists = tomllib.loads(folder.joinpath("anchors.toml").read_text("utf-8"))
    everyday = folder.joinpath("everyday.txt").read_text("utf-8").splitlines()
    return _Shipped(everyday=everyday[:_EVERYDAY], **lists)


def own_texts(settings: Settings, folder: Path | None) -> tuple[Fact, ...]:
    """The user's own anchors, if a file was named: from here, else from beside augmlx.toml.

    Raises:
        BadInput: the file is not what it should be.
    """
    name = settings.train.anchors
    if not settings.train.anchor or name == OWN_ANCHORS:
        return ()
    here, beside = Path(name), (folder or Path()) / name
    is_beside = beside.exists() and not here.exists()
    return read_facts(beside if is_beside else here).facts


def write(
    run: RunFolder,
    texts: Sequence[Fact],
    *,
    model: StoredModel | None,
    make_engine: Callable[[], Engine],
    progress: Progress,
) -> int:
    """Write data/anchors.jsonl; returns how many there are.

    Args:
        run: holds augmented.jsonl and the journal.
        texts: the user's own; none: the base model's.
        model: whose texts they are then, so that they are made once for all its runs; None: made
            for this run alone.
        make_engine: gives the base model, where its own texts are wanted; they are journalled.
        progress: is told how far it is.
    """
    if texts:
        rows = [_row(number, fact.text, fact.row) for number, fact in enumerate(texts)]
    else:
        said = anchor_store.find(model) if model else []
        if not said:
            said = _said(run, make_engine(), progress)
            if model:
                anchor_store.keep(model, said)
        rows = _varied(said, [fact.text for fact in facts_of_run(run)])
    write_jsonl(run.anchor_rows, rows)
    return len(rows)


def _said(run: RunFolder, engine: Engine, progress: Progress) -> list[Json]:
    with open_journal(run.journal) as journal:
        return _answered(list(_sources()), engine, journal, progress)


def _varied(rows: Sequence[Json], facts: Sequence[str]) -> list[Json]:
    """Of three prompts in a row one stays as it is, one is put in other words, where it is a
    question, and one behind a fact.
    """
    behind = cycle(facts)
    varied: list[Json] = []
    for number, row in enumerate(rows):
        prompt = str(row.get("prompt", ""))
        if number % 3 == 1 and is_english(prompt):
            (prompt,) = in_other_words(prompt, 1)
        elif number % 3 == 2 and prompt:
            prompt = f"{next(behind)}\n\n{prompt}"
        varied.append({**row, "prompt": prompt} if prompt else row)
    return varied


def _sources() -> Iterator[_Source]:
    lists = shipped()
    for opener in lists.openers:
        yield _Source(opener, False, _TEXT_TOKENS)
    for question in lists.everyday:
        yield _Source(question, True, _ANSWER_TOKENS)
    for question in lists.known:
        yield _Source(question, True, _NAME_TOKENS)
    for request in lists.requests:
        yield _Source(request, True, _ANSWER_TOKENS)


def _answered(
    sources: Sequence[_Source], engine: Engine, journal: Journal, progress: Progress
) -> list[Json]:
    """What the base model says to each, as rows; failed and empty ones are left out."""
    chat = engine.fault_of("chat") is None
    requests = [_request(source, n, engine, chat) for n, source in enumerate(sources)]
    with progress.task("Writing anchors", len(requests)) as task:
        for start in range(0, len(requests), _BATCH):
            _complete(requests[start : start + _BATCH], start, engine, journal)
            task.advance(len(requests[start : start + _BATCH]))
    completions = journal.completions([request.key for request in requests])
    rows: list[Json] = []
    for number, (source, request) in enumerate(zip(sources, requests, strict=True)):
        completion = completions[request.key]
        if completion.finish == "error" or not completion.text.strip():
            continue
        if request.chat:
            answered = {"prompt": source.text, "completion": completion.text.strip()}
            rows.append(_row(number, "", answered))
        else:
            rows.append(_row(number, request.suffix + completion.text, None))
    return rows


def _complete(requests: Sequence[Request], start: int, engine: Engine, journal: Journal) -> None:
    """Journal the completions that are missing."""
    known = journal.completions([request.key for request in requests])
    missing = [(n, r) for n, r in enumerate(requests, start) if r.key not in known]
    if not missing:
        return
    entries = [
        Entry(request, str(ExampleId(str(number), ANCHOR)), ANCHOR, sample=0)
        for number, request in missing
    ]
    journal.add(entries, list(engine.generate([request for _, request in missing])))


def _request(source: _Source, number: int, engine: Engine, chat: bool) -> Request:
    through_template = chat and source.is_question
    suffix = question_in_text(source.text) if source.is_question and not chat else source.text
    own_seed = f"anchor:{number}"  # the same in every run: they say nothing of it
    sampling = [own_seed, _TEMPERATURE, _TOP_P, source.max_tokens]
    return Request(
        key=fingerprint([suffix, through_template, *sampling, engine.fingerprint]),
        prefix="",
        suffix=suffix,
        seed=own_seed,
        temperature=_TEMPERATURE,
        top_p=_TOP_P,
        max_tokens=source.max_tokens,
        stop="",
        chat=through_template,
    )


def _row(number: int, text: str, row: Mapping[str, Any] | None) -> Json:
    """An anchor as a row of a training set."""
    name = str(ExampleId(str(number), ANCHOR))
    if not row:
        return {"id": name, "text": text}
    return {"id": name, **row}
