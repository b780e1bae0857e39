"""One example's whole story: facts, prompt, what was written, what was scored, and what each sample
met with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from augmlx.augment.edits import USER
from augmlx.augment.groups import written_text
from augmlx.augment.journal import History, open_journal
from augmlx.core import example_id
from augmlx.core.errors import BadInput
from augmlx.core.files import read_jsonl
from augmlx.core.records import Fact, Json
from augmlx.core.run_folder import RunFolder
from augmlx.data.facts import facts_of_run
from augmlx.english.text import lower_words


def story(run: RunFolder, name: str) -> Json:
    """What happened on the way to one example, kept or rejected; of one that the user has written,
    only what it is about.

    Args:
        run: the finished run.
        name: the example's id, such as "f0001/reversal/0".

    Raises:
        BadInput: the run holds no such example.
    """
    records = _records(run, name)
    record = records[name]
    facts = {fact.id: fact for fact in facts_of_run(run)}
    told = {
        "id": name,
        **_outcome(record),
        "text": record["text"],
        **_sources(record, facts),
        "trained_on": _part(run, name),
        "engine": record["origin"]["engine"],
        "model": record["origin"]["model"],
    }
    if told["engine"] == USER:  # nobody was asked
        return told
    history = _history(run, name, record)
    return {
        **told,
        **_asked(history),
        **_written(history),
        "removed": record["origin"].get("removed", []),
        "samples": [_sample(other) for other in sorted(records.values(), key=_sample_number)],
    }


def _outcome(record: Json) -> Json:
    if "by" not in record:
        return {"kept": True}
    return {"kept": False, "by": record["by"], "why": record["why"]}


def _sources(record: Json, facts: Mapping[str, Fact]) -> Json:
    origin = record["origin"]
    used = [facts[fact_id] for fact_id in origin["fact_ids"] if fact_id in facts]
    return {
        "operator": origin["operator"],
        "facts": [{"id": fact.id, "source": fact.source, "text": fact.text} for fact in used],
        "shown": origin.get("shown", []),
    }


def _asked(history: History) -> Json:
    request = history.request
    sampling = {
        "seed": request.seed,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
    }
    return {
        "system": request.system,
        "turns": request.turns,
        "prompt": request.prompt,
        "opening": request.opening,
        "chat": request.chat,
        "sampling": sampling,
    }


def _written(history: History) -> Json:
    completion = history.completion
    return {
        "completion": completion.text,
        "finish": completion.finish,
        "tokens": completion.tokens,
        "scores": dict(history.scores),
    }


def _sample(record: Json) -> Json:
    return {
        "sample": _sample_number(record),
        "text": record["text"],
        "kept": "by" not in record,
        "by": record.get("by", ""),
        "why": record.get("why", ""),
    }


def _sample_number(record: Json) -> int:
    number: int = record["origin"]["sample"]
    return number


def _records(run: RunFolder, name: str) -> dict[str, Json]:
    """The example and the other samples of its group, as they were kept or rejected, by id."""
    group = _group(name)
    records: dict[str, Json] = {}
    for path in (run.augmented, run.rejected):
        if not path.exists():
            continue
        for record in read_jsonl(path):
            if _group(record["id"]) == group:
                records[record["id"]] = record
    if name not in records:
        hint = f"ids stand in {run.augmented.name} and {run.rejected.name} of the run folder"
        raise BadInput(f"{run.path}: no example has the id {name}", hint=hint)
    return records


def _group(name: str) -> tuple[str, int]:
    """What the samples of one operator on the same premises, of one round, have in common."""
    parsed = example_id.parse(name)
    return parsed.group, parsed.round


def _history(run: RunFolder, name: str, record: Json) -> History:
    """What the journal holds of an example; that of a later round ("f0001/reversal/0~2") is in the
    round's folder.
    """
    group, round_number = _group(name)
    path = run.round_folder(round_number).journal if round_number > 1 else run.journal
    name_in_round = str(replace(example_id.parse(name), round=1))
    # Older requests of the same name stay in the journal when a prompt, the sampling or the model
    # has changed.
    histories = [
        history
        for history in _histories(path, group)
        if history.id == name_in_round
        and history.request.prompt_sha256 == record["origin"]["prompt_sha256"]
    ]
    if not histories:
        raise BadInput(f"{path}: holds nothing of {name}", hint="run augmlx augment again")
    fitting = [history for history in histories if _became(record["text"], history)]
    return (fitting or histories)[-1]


def _histories(path: Path, group: str) -> list[History]:
    if not path.exists():
        return []
    with open_journal(path) as journal:
        return journal.histories(f"{group}/")


def _became(text: str, history: History) -> bool:
    """Whether a text may have come of what was written. It may be less, where something was taken
    off, or more, where the operator puts something around it.
    """
    written = set(lower_words(written_text(history.request, history.completion)))
    words = set(lower_words(text))
    return written <= words or words <= written


def _part(run: RunFolder, name: str) -> str | None:
    """In which part of the data the example stands, if in any."""
    files = {"train": run.train_rows, "valid": run.valid_rows, "test": run.test_rows}
    for part, path in files.items():
        if path.exists() and any(row.get("id") == name for row in read_jsonl(path)):
            return part
    return None
