"""For which facts nothing was kept in which direction, why, and what may help. It speaks of ids and
places of facts, never of their texts.

A direction is an operator that starts from one fact and that no rule of logic restricts: of each
fact something can be said by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from augmlx.augment.operators import Operator, exemplars
from augmlx.augment.plan import Plan
from augmlx.core.files import read_jsonl, write_jsonl
from augmlx.core.records import Example, Fact, Json
from augmlx.core.run_folder import RunFolder

_DIRECTIONS_SHOWN = 4
_REASONS_SHOWN = 3
_FACTS_SHOWN = 2  # of one direction and reason
_NOT_ASKED = "not asked"
_FILE = RunFolder("").uncovered.name


@dataclass(frozen=True, slots=True)
class Gap:
    """A fact of which nothing was kept in one direction.

    Args:
        fact: its id.
        source: its place in the user's file, "facts.csv:17".
        operator: the direction.
        rejected: filter -> how many samples it rejected; none where the operator found nothing in
            the fact to ask for.
    """

    fact: str
    source: str
    operator: str
    rejected: dict[str, int]

    @property
    def by(self) -> str:
        """What rejected most of its samples."""
        most = min(self.rejected.items(), key=lambda item: (-item[1], item[0]), default=None)
        return _NOT_ASKED if most is None else most[0]


def is_direction(operator: Operator) -> bool:
    """Whether something can be said of each fact by an operator."""
    return operator.arity == "one" and not operator.rule and not operator.function


def gaps(
    facts: Sequence[Fact], plan: Plan, kept: Iterable[Example], rejected: Iterable[Json]
) -> list[Gap]:
    """What is missing, direction by direction, in the order of the facts.

    Args:
        facts: all of them.
        plan: what was asked.
        kept: the kept examples.
        rejected: the rows of rejected.jsonl.
    """
    directions = [operator.name for operator in plan.premise_lists if is_direction(operator)]
    covered = {(example.origin.operator, example.origin.fact_ids[0]) for example in kept}
    reasons: dict[tuple[str, str], Counter[str]] = {}
    for row in rejected:
        place = row["origin"]["operator"], row["origin"]["fact_ids"][0]
        if place not in covered and place[0] in directions:
            reasons.setdefault(place, Counter())[row["by"]] += 1
    missing = []
    for direction in directions:
        for fact in facts:
            place = direction, fact.id
            if place not in covered:
                why = dict(sorted(reasons.get(place, Counter()).items()))
                missing.append(Gap(fact.id, fact.source, direction, why))
    return missing


def write(run: RunFolder, facts: Sequence[Fact], plan: Plan) -> None:
    """What is missing in a run -> its uncovered.jsonl."""
    missing = gaps(facts, plan, run.kept_examples(), read_jsonl(run.rejected))
    rows = (
        {
            "fact": gap.fact,
            "source": gap.source,
            "operator": gap.operator,
            "by": gap.by,
            "rejected": gap.rejected,
        }
        for gap in missing
    )
    write_jsonl(run.uncovered, rows)


def read(run: RunFolder) -> list[Gap]:
    """What is missing in a run; nothing where that was not found out."""
    if not run.uncovered.exists():
        return []
    return [
        Gap(row["fact"], row["source"], row["operator"], row["rejected"])
        for row in read_jsonl(run.uncovered)
    ]


def as_json(missing: Sequence[Gap]) -> Json:
    """Direction -> what rejected most -> ids of the facts."""
    found: dict[str, dict[str, list[str]]] = {}
    for gap in missing:
        found.setdefault(gap.operator, {}).setdefault(gap.by, []).append(gap.fact)
    return dict(found)


def lines(missing: Sequence[Gap], facts: int, folder: Path | None) -> list[str]:
    """A few lines that say what is missing, and what to do.

    Args:
        missing: of a run.
        facts: how many the run is over.
        folder: of augmlx.toml, where exemplars are read from, if there is one.
    """
    if not missing:
        return []
    by_direction: dict[str, list[Gap]] = {}
    for gap in missing:
        by_direction.setdefault(gap.operator, []).append(gap)
    directions = list(by_direction)
    shown, more = directions[:_DIRECTIONS_SHOWN], directions[_DIRECTIONS_SHOWN:]
    count = len({gap.fact for gap in missing})
    place = (folder or Path()) / exemplars.FILE
    beside = "" if folder else " beside an augmlx.toml"
    return [
        f"nothing kept in some direction for {count} of {facts} facts (all: {_FILE}):",
        *(_about(direction, by_direction[direction]) for direction in shown),
        *([f"  and no {', no '.join(more)}"] if more else []),
        "what may help: a larger model (--model, --server), a worked example of your own in "
        f"{place}{beside}, or the fact in other words",
    ]


def _about(direction: str, missing: Sequence[Gap]) -> str:
    """The gaps of one direction, the most frequent reason first:
    "no reversal for 4: 3 dropped by entity (f0003 at facts.csv:4, ...), 1 not asked (...)".
    """
    by_reason: dict[str, list[Gap]] = {}
    for gap in missing:
        by_reason.setdefault(gap.by, []).append(gap)
    reasons = sorted(by_reason, key=lambda reason: (-len(by_reason[reason]), reason))
    parts = [_because(reason, by_reason[reason]) for reason in reasons[:_REASONS_SHOWN]]
    rest = sum(len(by_reason[reason]) for reason in reasons[_REASONS_SHOWN:])
    if rest:
        parts.append(f"{rest} by others")
    return f"  no {direction} for {len(missing)}: {', '.join(parts)}"


def _because(reason: str, missing: Sequence[Gap]) -> str:
    shown = [f"{gap.fact} at {gap.source}" for gap in missing[:_FACTS_SHOWN]]
    dots = ", ..." if len(missing) > _FACTS_SHOWN else ""
    why = reason if reason == _NOT_ASKED else f"dropped by {reason}"
    return f"{len(missing)} {why} ({', '.join(shown)}{dots})"
