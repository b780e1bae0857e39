"""What the operators make of a few facts, with nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from augmlx.augment import generate, operators
from augmlx.augment.filters import FILTERS, MEASURES
from augmlx.augment.journal import open_journal
from augmlx.augment.operators import exemplars
from augmlx.augment.plan import Plan
from augmlx.augment.stage import Writer
from augmlx.core.progress import Progress
from augmlx.core.records import Example, Fact, Rejected
from augmlx.core.settings import Settings
from augmlx.engines.local import mlx_engine
from augmlx.models.store import folder as store


@dataclass(frozen=True, slots=True)
class Preview:
    """What came of a few facts; `idle` are the operators that found nothing to start from."""

    records: list[Example | Rejected]
    idle: list[str]


def preview(
    facts: Sequence[Fact],
    chosen: Sequence[Fact],
    settings: Settings,
    progress: Progress,
    *,
    operators_folder: Path | None = None,
    every: bool = False,
    writer: Writer | None = None,
) -> Preview:
    """What the operators of the settings, or `every` one there is, make of the chosen ones among
    the facts. Nothing is written.
    """
    if every:
        names = tuple(item.operator.name for item in operators.available(FILTERS, operators_folder))
        settings = settings.model_copy(
            update={"augment": settings.augment.model_copy(update={"operators": names})}
        )
    loaded = generate.load_operators(settings.augment, operators_folder)
    engine = (
        writer.engine()
        if writer
        else mlx_engine(store.find(settings.model), None, width=settings.augment.batch_size)
    )
    if every and not engine.can_score:
        unscored = [operator.name for operator in loaded if set(operator.filters) & set(MEASURES)]
        progress.say(f"left out, for a server cannot score what they write: {', '.join(unscored)}")
        loaded = [operator for operator in loaded if operator.name not in unscored]
    generate.require_scores(loaded, engine)
    own = exemplars.read(operators_folder, loaded)
    plan = Plan(
        facts,
        loaded,
        settings.augment,
        seed=settings.seed,
        engine=engine,
        own=own,
        about={fact.id for fact in chosen},
    )
    with open_journal(None) as journal:
        generate.generate(plan, engine, journal, settings.augment.batch_size, progress)
        generate.measure(plan, engine, journal, settings.augment, progress)
        records = list(
            generate.collect(plan, journal, settings.augment, engine=engine, seed=settings.seed)
        )
    return Preview(
        records, [operator.name for operator, found in plan.found.items() if not found.premises]
    )
