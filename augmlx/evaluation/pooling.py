"""A study's summary: the evaluations of several seeds, each of a world of its own, as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import exp, log
from statistics import fmean

from augmlx.core import arms
from augmlx.core.records import EvalItem, EvalResult
from augmlx.core.settings import Settings
from augmlx.evaluation import ability, differences, leaks
from augmlx.evaluation.cells import cells_by_arm
from augmlx.evaluation.summary import (
    Ability,
    Cell,
    PooledAbility,
    Precision,
    Regression,
    SeededCell,
    StudySummary,
    Summary,
)
from augmlx.evaluation.worlds.world import World


@dataclass(frozen=True, slots=True)
class SeedResult:
    """What one seed came to.

    Args:
        items, results: what was asked, and what every arm answered.
        verdicts: of each augmentation trained on, whether it is true; None where that cannot be
            told.
        summary: of its evaluation.
        notes: what a reader must know besides.
    """

    seed: int
    world: World
    items: Sequence[EvalItem]
    results: Sequence[EvalResult]
    verdicts: Sequence[bool | None]
    summary: Summary
    notes: Sequence[str] = ()


def pooled(
    world: str, size: float, settings: Settings, seeds: Sequence[SeedResult]
) -> StudySummary:
    """The summary of a study: every figure over all seeds together, and each seed's accuracy.

    Facts are what the bootstrap draws anew, over all seeds: two seeds share none.
    """
    items = [item for one in seeds for item in _own_items(one)]
    results = [result for one in seeds for result in _own_results(one)]
    cells_of_arm = cells_by_arm(results, items)
    losses = [loss for one in seeds for loss in _own_losses(one)]
    return StudySummary(
        world=world,
        about=seeds[0].world.about,
        size=size,
        seeds=tuple(one.seed for one in seeds),
        model=settings.model,
        score=settings.eval.score,
        items=len(items),
        facts=sum(len(one.world.facts) for one in seeds),
        arms={
            arm: {kind: _seeded(cell, seeds, arm, kind) for kind, cell in cells.items()}
            for arm, cells in cells_of_arm.items()
        },
        differences=tuple(
            differences.differences(
                results, items, arms.pairs_among(list(cells_of_arm)), seed=seeds[0].seed
            )
        ),
        leaks=leaks.pooled_leaks({one.seed: one.summary.leaks for one in seeds}),
        ability=_ability([one.summary.ability for one in seeds]),
        regressions=tuple(losses),
        precision=_precision(seeds),
        notes=(*_notes(seeds), *ability.loss_notes(losses)),
    )


def _own_items(one: SeedResult) -> list[EvalItem]:
    """Its items, with ids of items and facts that no other seed has."""
    own: list[EvalItem] = []
    for item in one.items:
        fact_ids = tuple(f"{one.seed}/{fact_id}" for fact_id in item.fact_ids)
        own.append(replace(item, id=f"{one.seed}/{item.id}", fact_ids=fact_ids))
    return own


def _own_results(one: SeedResult) -> list[EvalResult]:
    return [replace(result, item_id=f"{one.seed}/{result.item_id}") for result in one.results]


def _own_losses(one: SeedResult) -> list[Regression]:
    losses = one.summary.regressions
    return [replace(loss, text=f"seed {one.seed}: {loss.text}") for loss in losses]


def _seeded(cell: Cell, seeds: Sequence[SeedResult], arm: str, kind: str) -> SeededCell:
    accuracies = tuple(_accuracy(one.results, arm, kind) for one in seeds)
    return SeededCell(**asdict(cell), seeds=accuracies)


def _accuracy(results: Sequence[EvalResult], arm: str, kind: str) -> float | None:
    correct = [row.correct for row in results if (row.arm, row.kind) == (arm, kind)]
    return fmean(correct) if correct else None


def _ability(abilities_of_seeds: Sequence[Mapping[str, Ability]]) -> dict[str, PooledAbility]:
    by_arm: dict[str, list[Ability]] = {}
    for abilities in abilities_of_seeds:
        for arm, of_arm in abilities.items():
            by_arm.setdefault(arm, []).append(of_arm)
    return {arm: _mean_ability(abilities) for arm, abilities in by_arm.items()}


def _mean_ability(abilities: Sequence[Ability]) -> PooledAbility:
    return PooledAbility(
        perplexity=exp(fmean(log(one.perplexity) for one in abilities)),
        accuracy=fmean(one.accuracy for one in abilities),
        n=abilities[0].n,
        tokens=abilities[0].tokens,
    )


def _precision(seeds: Sequence[SeedResult]) -> Precision:
    verdicts = [verdict for one in seeds for verdict in one.verdicts]
    judged = [verdict for verdict in verdicts if verdict is not None]
    return Precision(kept=len(verdicts), judged=len(judged), right=sum(judged))


def _notes(seeds: Sequence[SeedResult]) -> list[str]:
    """What the seeds have to tell, but of lost ability, which is told of all together."""
    notes: list[str] = []
    for one in seeds:
        own = [*one.notes, *one.summary.notes]
        notes += [f"seed {one.seed}: {note}" for note in own if not note.startswith(ability.FELL)]
    return notes
