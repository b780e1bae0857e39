"""The stage that says where training holds the model: base model -> data/anchors.jsonl."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from augmlx.augment import anchors
from augmlx.core.files import read_jsonl
from augmlx.core.records import Fact, Json
from augmlx.run.line import Line
from augmlx.run.stages import ANCHOR, SPLIT, StageTask


def anchor_task(line: Line, texts: Sequence[Fact]) -> StageTask:
    """augmented.jsonl -> data/anchors.jsonl; the user's own `texts` where there are any."""
    return StageTask(
        ANCHOR,
        basis=[*line.split_basis, line.settings.train.anchors],
        inputs=[
            line.run.manifest()[SPLIT.name]["fingerprint"],
            [[fact.text, fact.row] for fact in texts],
        ],
        outputs=[line.run.anchor_rows],
        prepare=lambda: partial(
            anchors.write,
            line.run,
            texts,
            seed=line.settings.seed,
            make_engine=lambda: line.make_engine(None),
            progress=line.progress,
        ),
        computes=not texts and line.answers_by_mlx,
    )


def rows(line: Line) -> list[Json]:
    """The anchors that training uses; none where it is not held."""
    if not line.settings.train.anchor or not line.run.anchor_rows.exists():
        return []
    return list(read_jsonl(line.run.anchor_rows))
