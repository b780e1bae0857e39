"""The stage that exports: adapter/ -> a folder that other tools read."""

from __future__ import annotations

from pathlib import Path

from augmlx.core.records import Json, fingerprint
from augmlx.run.line import Line
from augmlx.run.stages import EXPORT, StageTask


def export_task(
    line: Line, target: Path, hf_base: str | None, trained_fingerprint: str
) -> StageTask:
    """adapter/ -> a PEFT folder at `target`."""
    from augmlx.exporting import peft
    from augmlx.models.formats.adapter_folder import read_spec

    def work() -> Json:
        spec = read_spec(line.run.adapter)
        for note in peft.export_peft(line.run.adapter, spec, target, hf_base=hf_base):
            line.progress.say(note)
        return {"format": "peft"}

    return StageTask(
        EXPORT,
        basis=line.train_basis,
        inputs=[trained_fingerprint, fingerprint(str(target.resolve())), hf_base],
        outputs=[target / peft.WEIGHTS, target / peft.CONFIG],
        prepare=lambda: work,
    )
