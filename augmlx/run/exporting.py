"""The stage that exports: adapter/ -> a folder that other tools read."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from augmlx.run.line import Line
from augmlx.run.stages import EXPORT, StageTask


def export_task(
    line: Line, target: Path, hf_base: str | None, trained_fingerprint: str
) -> StageTask:
    """adapter/ -> a PEFT folder at `target`."""
    from augmlx.exporting import stage

    return StageTask(
        EXPORT,
        basis=line.train_basis,
        inputs=stage.inputs(trained_fingerprint, target, hf_base),
        outputs=stage.outputs(target),
        prepare=lambda: partial(
            stage.write, line.run, target, line.progress, model=line.model, hf_base=hf_base
        ),
    )
