"""A study's summary: the evaluations of several seeds, each of a world of its own, as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import exp, log
from statistics import fmean

from augmlx.core import arms
from augmlx.core.records import EvalItem, EvalResult
from augmlx.core.settings import Settings
from augmlx.evaluation.ability import FELL, loss_notes
from augmlx.evaluation.cells import cells_by_arm
from augmlx.evaluation.differences import differences
from augmlx.evaluation.leaks import pooled_leaks
from augmlx.evaluation.summary import (
    Ability,
    Cell,
    Overclaims,
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
    items: list[EvalItem] = []
    results: list[EvalResult] = []
    losses: list[Regression] = []
    for one in seeds:
        items += _own_items(one)
        results += [replace(row, item_id=f"{one.seed}/{row.item_id}") for row in one.results]
        own_losses = one.summary.regressions
        losses += [replace(loss, text=f"seed {one.seed}: {loss.text}") for loss in own_losses]
    cells = cells_by_arm(results, items)
    pairs = arms.pairs_among(cells)
    return StudySummary(
        world=world,
        about=seeds[0].world.about,
        size=size,
        seeds=tuple(one.seed for one in seeds),
        model=settings.model,
        score=settings.eval.score,
        items=len(items),
        facts=sum(len(one.world.facts) for one in seeds),
        arms=_with_seeds(cells, seeds),
        differences=tuple(differences(results, items, pairs, seed=seeds[0].seed)),
        leaks=pooled_leaks({one.seed: one.summary.leaks for one in seeds}),
        ability=_ability(seeds),
        overclaims=_overclaims(seeds),
        regressions=tuple(losses),
        precision=_precision(seeds),
        notes=(*_notes(seeds), *loss_notes(losses)),
    )


def _own_items(one: SeedResult) -> list[EvalItem]:
    """Its items, with ids of items and facts that no other seed has."""
    own: list[EvalItem] = []
    for item in one.items:
        fact_ids = tuple(f"{one.seed}/{fact_id}" for fact_id in item.fact_ids)
        own.append(replace(item, id=f"{one.seed}/{item.id}", fact_ids=fact_ids))
    return own


def _with_seeds(
    cells: Mapping[str, Mapping[str, Cell]], seeds: Sequence[SeedResult]
) -> dict[str, dict[str, SeededCell]]:
    """The table of cells over all seeds, each with every seed's own accuracy."""
    table: dict[str, dict[str, SeededCell]] = {}
    for arm, of_arm in cells.items():
        table[arm] = {}
        for kind, cell in of_arm.items():
            accuracies = tuple(_accuracy(one.results, arm, kind) for one in seeds)
            table[arm][kind] = SeededCell(**asdict(cell), seeds=accuracies)
    return table


def _accuracy(results: Sequence[EvalResult], arm: str, kind: str) -> float | None:
    """An arm's accuracy on a kind of question in one seed; None where it asked none."""
    correct = [row.correct for row in results if (row.arm, row.kind) == (arm, kind)]
    if not correct:
        return None
    return fmean(correct)


def _ability(seeds: Sequence[SeedResult]) -> dict[str, PooledAbility]:
    """Each arm's general ability over the seeds in which it was measured."""
    by_arm: dict[str, list[Ability]] = {}
    for one in seeds:
        for arm, ability in one.summary.ability.items():
            by_arm.setdefault(arm, []).append(ability)
    pooled_of_arm: dict[str, PooledAbility] = {}
    for arm, abilities in by_arm.items():
        mean_loss = fmean(log(ability.perplexity) for ability in abilities)
        pooled_of_arm[arm] = PooledAbility(
            perplexity=exp(mean_loss),
            accuracy=fmean(ability.accuracy for ability in abilities),
            n=abilities[0].n,
            tokens=abilities[0].tokens,
        )
    return pooled_of_arm


def _overclaims(seeds: Sequence[SeedResult]) -> dict[str, dict[str, Overclaims]]:
    """Each arm's claims over all seeds."""
    table: dict[str, dict[str, Overclaims]] = {}
    for one in seeds:
        for arm, by_kind in one.summary.overclaims.items():
            of_arm = table.setdefault(arm, {})
            for kind, counts in by_kind.items():
                before = of_arm.get(kind, Overclaims(0, 0, 0))
                of_arm[kind] = Overclaims(
                    before.n + counts.n,
                    before.named + counts.named,
                    before.changed + counts.changed,
                )
    return table


def _precision(seeds: Sequence[SeedResult]) -> Precision:
    kept = judged = right = 0
    for one in seeds:
        kept += len(one.verdicts)
        judged += len(one.verdicts) - one.verdicts.count(None)
        right += one.verdicts.count(True)
    return Precision(kept, judged, right)


def _notes(seeds: Sequence[SeedResult]) -> list[str]:
    """What the seeds have to tell, but of lost ability, which is told of all together."""
    notes: list[str] = []
    for one in seeds:
        own = [*one.notes, *one.summary.notes]
        notes += [f"seed {one.seed}: {note}" for note in own if not note.startswith(FELL)]
    return notes
