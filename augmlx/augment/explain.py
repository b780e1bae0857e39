"""One example's whole story: facts, prompt, what was written, what was scored, and what each sample
met with.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from augmlx.augment.journal import Told, open_journal
from augmlx.core import example_id
from augmlx.core.errors import BadInput
from augmlx.core.files import read_jsonl
from augmlx.core.records import Json, fact_from_json
from augmlx.core.run_folder import RunFolder


def story(run: RunFolder, name: str) -> Json:
    """What happened on the way to one example, kept or rejected, by its id (such as
    "f0001/reversal/0").

    Raises BadInput where the run holds no such example.
    """
    records = _records(run, name)
    record = records[name]
    origin, kept = record["origin"], "by" not in record
    facts = {fact.id: fact for fact in map(fact_from_json, read_jsonl(run.facts))}
    own = _told(run, name, record)
    return {
        "id": name,
        "kept": kept,
        **({} if kept else {"by": record["by"], "why": record["why"]}),
        "text": record["text"],
        "operator": origin["operator"],
        "facts": [_fact(facts[i]) for i in origin["fact_ids"] if i in facts],
        "shown": origin.get("shown", []),
        "trained_on": _place(run, name),
        "model": origin["model"],
        "prompt": own.request.prompt,
        "chat": own.request.chat,
        "sampling": {
            "seed": own.request.seed,
            "temperature": own.request.temperature,
            "top_p": own.request.top_p,
            "max_tokens": own.request.max_tokens,
        },
        "completion": own.completion.text,
        "finish": own.completion.finish,
        "tokens": own.completion.tokens,
        "scores": dict(own.scores),
        "samples": [
            _sample(row)
            for row in sorted(records.values(), key=lambda row: row["origin"]["sample"])
        ],
    }


def _records(run: RunFolder, name: str) -> dict[str, Json]:
    """The example and the other samples of its group, as they were kept or rejected, by id."""
    group = _group(name)
    found: dict[str, Json] = {}
    for path in (run.augmented, run.rejected):
        if path.exists():
            found |= {row["id"]: row for row in read_jsonl(path) if _group(row["id"]) == group}
    if name not in found:
        hint = "ids stand in augmented.jsonl and rejected.jsonl of the run folder"
        raise BadInput(f"{run.path}: no example has the id {name}", hint=hint)
    return found


def _group(name: str) -> tuple[str, int]:
    """What the samples of one operator on the same premises, of one round, have in common."""
    of = example_id.parse(name)
    return of.group, of.round


def _told(run: RunFolder, name: str, record: Json) -> Told:
    """What the journal holds of an example; that of a later round ("f0001/reversal/0~2") is in the
    round's folder.
    """
    group, turn = _group(name)
    path = RunFolder(run / "rounds" / str(turn)).journal if turn > 1 else run.journal
    asked = str(replace(example_id.parse(name), round=1))
    found: list[Told] = []
    if path.exists():
        with open_journal(path) as journal:
            found = [told for told in journal.story(f"{group}/") if told.id == asked]
    # Older requests of the same name stay in the journal when a prompt, the sampling or the model
    # has changed.
    found = [
        told for told in found if told.request.prompt_sha256 == record["origin"]["prompt_sha256"]
    ]
    if not found:
        raise BadInput(f"{path}: holds nothing of {name}", hint="run augmlx augment again")
    fitting = [
        told
        for told in found
        if f"{told.request.opening}{told.completion.text}".strip() in record["text"]
    ]
    return (fitting or found)[-1]


def _place(run: RunFolder, name: str) -> str | None:
    """In which part of the data the example stands, if in any."""
    for part in ("train", "valid", "test"):
        path = run.data / f"{part}.jsonl"
        if path.exists() and any(row.get("id") == name for row in read_jsonl(path)):
            return part
    return None


def _fact(fact: Any) -> Json:
    return {"id": fact.id, "source": fact.source, "text": fact.text}


def _sample(row: Json) -> Json:
    verdict = {"kept": "by" not in row, "by": row.get("by", ""), "why": row.get("why", "")}
    return {"sample": row["origin"]["sample"], "text": row["text"], **verdict}
