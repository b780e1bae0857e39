"""One example's whole story: facts, prompt, what was written, what was scored, and what each sample met with."""

from __future__ import annotations

from typing import Any

from augmlx.errors import BadInput
from augmlx.files import read_jsonl
from augmlx.journal import Told, open_journal
from augmlx.records import Json, fact_from_json
from augmlx.rundir import RunDir


def story(run: RunDir, name: str) -> Json:
    """What happened on the way to one example, kept or rejected, by its id (such as "f0001/reversal/0").

    Raises BadInput where the run holds no such example.
    """
    record, kept = _record(run, name)
    origin = record["origin"]
    facts = {fact.id: fact for fact in map(fact_from_json, read_jsonl(run.facts))}
    with open_journal(run.journal) as journal:
        told = journal.story(f"{name.rpartition('/')[0]}/")
    # Older requests of the same name stay in the journal when a prompt or the model has changed.
    own = next((t for t in reversed(told) if t.id == name and t.request.prompt_sha256 == origin["prompt_sha256"]), None)
    if own is None:
        raise BadInput(f"{run.journal}: holds nothing of {name}", hint="run augmlx augment again")
    samples = [t for t in told if t.sample == own.sample or t.verdict is not None]
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
        "samples": [_sample(t) for t in samples if t.request.prompt_sha256 == own.request.prompt_sha256],
    }


def _record(run: RunDir, name: str) -> tuple[Json, bool]:
    for path, kept in ((run.augmented, True), (run.rejected, False)):
        if path.exists():
            for row in read_jsonl(path):
                if row["id"] == name:
                    return row, kept
    hint = "ids stand in augmented.jsonl and rejected.jsonl of the run folder"
    raise BadInput(f"{run.path}: no example has the id {name}", hint=hint)


def _place(run: RunDir, name: str) -> str | None:
    """In which part of the data the example stands, if in any."""
    for part in ("train", "valid", "test"):
        path = run.data / f"{part}.jsonl"
        if path.exists() and any(row.get("id") == name for row in read_jsonl(path)):
            return part
    return None


def _fact(fact: Any) -> Json:
    return {"id": fact.id, "source": fact.source, "text": fact.text}


def _sample(told: Told) -> Json:
    verdict = told.verdict or (False, "", "")
    text = f"{told.request.opening}{told.completion.text}".strip()
    return {"sample": told.sample, "text": text, "kept": verdict[0], "by": verdict[1], "why": verdict[2]}
