"""The stage that says where training holds the model, and what it does not know: data/anchors.jsonl
and data/unknown.jsonl.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from augmlx.augment import anchors, unknown
from augmlx.core.files import read_jsonl
from augmlx.core.records import Fact, Json
from augmlx.run.line import Line
from augmlx.run.stages import ANCHOR, SPLIT, StageTask


def is_wanted(line: Line) -> bool:
    """Whether training uses any of it."""
    return bool(line.settings.train.anchor or line.settings.train.unknown)


def anchor_task(line: Line, texts: Sequence[Fact]) -> StageTask:
    """augmented.jsonl -> what training uses of the two; the user's own `texts` as anchors, where
    there are any.
    """
    train = line.settings.train
    wanted = [train.anchors if train.anchor else "", bool(train.unknown)]
    files = [(train.anchor, line.run.anchor_rows), (train.unknown, line.run.unknown_rows)]
    return StageTask(
        ANCHOR,
        basis=[*line.split_basis, *wanted],
        inputs=[
            line.run.manifest()[SPLIT.name]["fingerprint"],
            [[fact.text, fact.row] for fact in texts],
        ],
        outputs=[path for weight, path in files if weight],
        prepare=lambda: partial(_write, line, texts),
        computes=bool(train.anchor) and not texts and line.answers_by_mlx,
    )


def _write(line: Line, texts: Sequence[Fact]) -> Json:
    settings = line.settings
    counts: Json = {}
    if settings.train.anchor:
        counts["anchors"] = anchors.write(
            line.run,
            texts,
            model=line.model if line.answers_by_mlx else None,
            make_engine=lambda: line.make_engine(None),
            progress=line.progress,
        )
    if settings.train.unknown:
        counts["unknown"] = unknown.write(line.run, line.form, settings.seed)
        if not counts["unknown"] and "unknown" in settings.train.model_fields_set:
            line.progress.say(
                "train.unknown: no English question was kept that names something, so there is "
                "none to ask about invented names; qa-forward and qa-reverse write questions"
            )
    return counts


def anchor_rows(line: Line) -> list[Json]:
    """The anchors that training uses; none where it is not held."""
    return _rows(line.run.anchor_rows) if line.settings.train.anchor else []


def unknown_rows(line: Line) -> list[Json]:
    """What training says that it does not know; none where it says nothing of that."""
    return _rows(line.run.unknown_rows) if line.settings.train.unknown else []


def _rows(path: Path) -> list[Json]:
    return list(read_jsonl(path)) if path.exists() else []
