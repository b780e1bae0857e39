"""Would one use it? What the augmented arm says in a chat, what it kept of the base model, and what
it claims that it was not taught; in a sentence each.
"""

from __future__ import annotations

from augmlx.core.arms import AUGMENTED, BASE
from augmlx.core.records import CHAT
from augmlx.report.evaluated import Evaluation
from augmlx.report.text import percent


def told(evaluation: Evaluation) -> str:
    """Of each what was measured; "" where nothing was."""
    parts = (_in_a_chat(evaluation), _kept(evaluation), _claims(evaluation))
    return " ".join(part for part in parts if part)


def _in_a_chat(evaluation: Evaluation) -> str:
    cells = [evaluation.cell(AUGMENTED.name, kind) for kind in (f"{CHAT}forward", f"{CHAT}reverse")]
    there, back = [cell if cell is not None and cell.n else None for cell in cells]
    if there is None or back is None:
        return ""
    return (
        "Asked in a chat, in wordings that it was not trained in, it answers "
        f"{there.right} of {there.n} questions right, and {back.right} of {back.n} the other way "
        "round."
    )


def _kept(evaluation: Evaluation) -> str:
    after = evaluation.summary.ability.get(AUGMENTED.name)
    before = evaluation.summary.ability.get(BASE.name)
    if after is None or before is None:
        return ""
    return (
        f"Of texts that have nothing to do with the facts its perplexity is {after.perplexity:.1f} "
        f"(base model {before.perplexity:.1f}), and {percent(after.accuracy)} of everyday "
        f"questions are answered right ({percent(before.accuracy)})."
    )


def _claims(evaluation: Evaluation) -> str:
    kinds = evaluation.summary.overclaims.get(AUGMENTED.name, {})
    asked = sum(counts.n for counts in kinds.values())
    named = sum(counts.named for counts in kinds.values())
    if not asked:
        return ""
    if not named:
        return f"Of {asked} questions that no fact answers it answers none with a fact."
    most = max(kinds, key=lambda kind: kinds[kind].named / kinds[kind].n)
    return (
        f"Of {asked} questions that no fact answers it names something of the facts in {named}, "
        f"most often where they are {most} ({kinds[most].named} of {kinds[most].n})."
    )
