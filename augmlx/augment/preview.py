"""What the operators make of a few facts, with nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from augmlx.augment import operators
from augmlx.augment.calibration.in_force import in_force
from augmlx.augment.filters import FILTERS, MEASURES
from augmlx.augment.generate import generate, load_operators, measure, require_scores
from augmlx.augment.journal import open_journal
from augmlx.augment.judge import collect
from augmlx.augment.operators import Operator, exemplars
from augmlx.augment.plan import Plan
from augmlx.augment.stage import Writer
from augmlx.core.progress import Progress
from augmlx.core.records import Example, Fact, Rejected
from augmlx.core.settings import AugmentSettings, Settings
from augmlx.engines.local import mlx_engine
from augmlx.engines.protocol import Engine
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
    """What the operators make of some of the facts. Nothing is written to disk.

    Args:
        facts: all of them.
        chosen: those that are augmented.
        settings: as for a run.
        progress: is told how far it is.
        operators_folder: holds the user's own operators and exemplars.
        every: whether all operators there are take part, not only those of the settings.
        writer: writes in the place of the settings' model.

    Raises:
        BadInput: an operator's file or exemplars.csv is broken.
        BadSettings: a named operator needs what the engine cannot do.
        ModelError: there is no such model.
    """
    if writer is None:
        settings = in_force(settings, store.find(settings.model), progress)
    if every:
        settings = _with_every_operator(settings, operators_folder)
    config = settings.augment
    loaded = load_operators(config, operators_folder)
    engine = writer.engine() if writer else _own_engine(settings)
    if every and not engine.can_score:
        loaded = _unscored(loaded, progress)
    require_scores(loaded, engine)
    plan = Plan(
        facts,
        loaded,
        config,
        seed=settings.seed,
        engine=engine,
        own=exemplars.read(operators_folder, loaded),
        about={fact.id for fact in chosen},
    )
    idle = [
        operator.name
        for operator, premise_list in plan.premise_lists.items()
        if not premise_list.premises
    ]
    return Preview(_records(plan, engine, config, settings.seed, progress), idle)


def _with_every_operator(settings: Settings, folder: Path | None) -> Settings:
    listed = operators.available(FILTERS, folder)
    names = tuple(each.operator.name for each in listed)
    augment = settings.augment.model_copy(update={"operators": names})
    return settings.model_copy(update={"augment": augment})


def _own_engine(settings: Settings) -> Engine:
    return mlx_engine(store.find(settings.model), None, width=settings.augment.batch_size)


def _unscored(loaded: Sequence[Operator], progress: Progress) -> list[Operator]:
    """The operators that need no scores."""
    scored = [operator for operator in loaded if set(operator.filters) & set(MEASURES)]
    names = ", ".join(operator.name for operator in scored)
    progress.say(f"left out, for a server cannot score what they write: {names}")
    return [operator for operator in loaded if operator not in scored]


def _records(
    plan: Plan, engine: Engine, config: AugmentSettings, seed: int, progress: Progress
) -> list[Example | Rejected]:
    with open_journal(None) as journal:
        generate(plan, engine, journal, config.batch_size, progress)
        measure(plan, engine, journal, config, progress)
        return list(collect(plan, journal, config, engine=engine, seed=seed))
