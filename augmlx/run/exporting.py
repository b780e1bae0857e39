"""The stages that export: adapter/ -> a folder that other tools read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from augmlx.core.arms import ARMS, AUGMENTED, BASE
from augmlx.core.errors import RunError
from augmlx.core.records import Json
from augmlx.core.run_folder import RunFolder
from augmlx.evaluation import summary
from augmlx.evaluation.summary import Summary
from augmlx.exporting.card import About
from augmlx.exporting.stage import Order
from augmlx.models.store.folder import COMMIT
from augmlx.run.line import Line
from augmlx.run.stages import EXPORTS, StageTask

_LICENSE = re.compile(r"[a-z0-9][a-z0-9.-]*")  # as the Hub spells them


def target_of(run: RunFolder, form: str, out: Path | None) -> Path:
    """The folder that is written: `out`, which the user named, or one inside the run."""
    return out or run.export / form


def export_task(line: Line, order: Order, trained_fingerprint: str) -> StageTask:
    """adapter/ -> a folder as it was ordered."""
    from augmlx.exporting import stage

    return StageTask(
        EXPORTS[order.form],
        basis=line.train_basis,
        inputs=stage.inputs(trained_fingerprint, order),
        outputs=stage.outputs(order),
        prepare=lambda: partial(stage.write, line.run, order, line.model, line.progress),
        computes=order.form != "peft",
    )


def about(line: Line, hf_base: str | None = None) -> About:
    """What the card says of the run: numbers alone, no text of the user's.

    Args:
        hf_base: the Hugging Face original, where the user names one; of another than the model's
            own record has, no revision is known.
    """
    manifest = line.run.manifest()
    try:
        evaluated = _evaluation(summary.read(line.run)) if "eval" in manifest else ""
    except RunError:  # of an older version
        evaluated = ""
    counts = manifest.get("augment", {}).get("counts", {})
    spelt = line.model.license or ""
    named = spelt if _LICENSE.fullmatch(spelt) else None
    revision = line.model.revision if hf_base in (None, line.model.hf_base) else None
    if revision is not None and not COMMIT.fullmatch(revision):
        revision = None  # a card that was written by hand, and what is in it may be a path
    return About(license=named, revision=revision, made=_made(counts), evaluation=evaluated)


def _made(counts: Json) -> str:
    if "kept" not in counts or "facts" not in counts:
        return ""
    return (
        f"\n## How the data were made\n\nThe base model itself read {counts['facts']} facts and "
        f"wrote down what follows from them; {counts['kept']} of its texts passed the filters and "
        "were trained on beside the facts.\n"
    )


def _evaluation(found: Summary) -> str:
    """The accuracy of each arm on each kind of question, what was forgotten, what leaked."""
    arms = [arm for arm in found.arms if arm in ARMS]
    head = ["question", "n", *arms]
    rows = [" | ".join(head), " | ".join("---" for _ in head)]
    for kind in found.kinds:
        cells = [found.cell(arm, kind) for arm in arms]
        asked = max(cell.n for cell in cells if cell is not None)
        shares = ["" if cell is None else f"{100 * cell.accuracy:.0f} %" for cell in cells]
        rows.append(" | ".join([kind, str(asked), *shares]))
    table = "\n".join(f"| {row} |" for row in rows)
    rest = "".join(f"\n{line}\n" for line in _besides(found))
    return (
        f"\n## Evaluation\n\nRight answers by arm, on the run's own questions.\n\n{table}\n{rest}"
    )


def _besides(found: Summary) -> Iterator[str]:
    before, after = found.ability.get(BASE.name), found.ability.get(AUGMENTED.name)
    if before is not None and after is not None:
        yield (
            f"Retention: perplexity of a text on other things {before.perplexity:.1f} before, "
            f"{after.perplexity:.1f} after; everyday questions {100 * before.accuracy:.0f} % "
            f"before, {100 * after.accuracy:.0f} % after."
        )
    asked = sum(leak.generated + leak.not_generated for leak in found.leaks.values())
    if asked:
        leaked = sum(leak.generated for leak in found.leaks.values())
        yield (
            f"Leaks: the conclusion of {leaked} of {asked} questions stood in a text that was "
            "trained on."
        )
