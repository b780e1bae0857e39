"""How good is what augmentation keeps? Judged over a generated world whose true consequences are
known.

    .venv/bin/python scripts/bench_quality.py --json quality.json
    .venv/bin/python scripts/bench_quality.py --run quality --show 40   # keeps the journal

Precision is the share of kept texts that are right, coverage the share of facts with at least one
right kept text, yield the share of produced texts that are kept. Each filter is taken away in turn,
and all of them together. A relation counts as seen by an operator where one of its words stands in
the operator's exemplars. The JSON holds the labelled candidates, too.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import benchmark
from quality_judge import (
    Judgement,
    judge_bridge,
    judge_chain,
    judge_kinds,
    judge_question,
    judge_statement,
)
from quality_world import WorldFact, linked, world

from augmlx.augment import generate as augment
from augmlx.augment import operators
from augmlx.augment.journal import Journal, open_journal
from augmlx.augment.judge import collect
from augmlx.augment.operators import Operator
from augmlx.augment.plan import Plan, Planned
from augmlx.core.progress import Silent
from augmlx.core.records import Example, Fact, Json, Rejected
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import AugmentSettings, Settings
from augmlx.engines.local import mlx_engine
from augmlx.engines.protocol import Engine
from augmlx.english.names import entities
from augmlx.english.sameness import wording
from augmlx.english.stems import content_stems
from augmlx.models.store import folder as store

Judge = Callable[[str, Sequence[WorldFact]], Judgement]
JUDGES: dict[str, Judge] = {
    "reversal": lambda text, facts: judge_statement(text, facts[0], turned=True),
    "rephrase": lambda text, facts: judge_statement(text, facts[0], turned=False),
    "qa-forward": lambda text, facts: judge_question(text, facts[0], turned=False),
    "qa-reverse": lambda text, facts: judge_question(text, facts[0], turned=True),
    "contraposition": partial(judge_kinds, filled=False),
    "conversion": partial(judge_kinds, filled=True),
    "syllogism": partial(judge_kinds, filled=False),
    "inheritance": partial(judge_kinds, filled=False),
    "chain": judge_chain,
    "bridge": judge_bridge,
}
# These get facts that share names.
LINKED = frozenset({"contraposition", "conversion", "syllogism", "inheritance", "chain", "bridge"})
BARS = {"reversal.precision": 0.90, "reversal.coverage": 0.60}
VOTE_SHARES = (0.0, 0.25, 0.5, 0.75)
ALL_FILTERS = "all filters"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one request, and what the world says to it.

    Args:
        premises: the ids of its facts.
        by: names the filter that objected, or nothing.
        verdict: the world's.
    """

    premises: str
    sample: int
    relation: str
    planned: Planned
    text: str
    by: str
    verdict: Judgement

    @property
    def source(self) -> str:
        """The facts that the text is drawn from."""
        facts = self.planned.premises.facts
        return " ".join(fact.text for fact in facts)


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of a set of facts under one operator.

    Args:
        produced: texts, of which `kept` are kept, of which `right` are right.
        moved: of those right, in how many the time has moved ("owns" -> "was owned by").
        covered: of the `facts`, how many have a right text.
    """

    produced: int
    kept: int
    right: int
    moved: int
    facts: int
    covered: int

    def shares(self) -> dict[str, float]:
        """Precision, coverage and yield, to four digits."""
        return {
            "precision": _share(self.right, self.kept),
            "coverage": _share(self.covered, self.facts),
            "yield": _share(self.kept, self.produced),
        }

    def as_json(self) -> Json:
        return {**self.shares(), **dataclasses.asdict(self)}


def _share(part: int, whole: int) -> float:
    """0 of nothing."""
    return round(part / whole, 4) if whole else 0.0


class Bench:
    """One world, its completions in a journal, and what the filters make of them."""

    def __init__(
        self, facts: Sequence[WorldFact], engine: Engine, journal: Journal, seed: int
    ) -> None:
        self.facts = {fact.id: fact for fact in facts}
        self._given = [Fact(fact.id, fact.text, "world") for fact in facts]
        self._engine = engine
        self._journal = journal
        self._seed = seed
        self._verdicts: dict[tuple[str, tuple[str, ...], str], Judgement] = {}

    def plan(self, operator: Operator, settings: AugmentSettings) -> Plan:
        """The requests of one operator over all facts."""
        return Plan(
            self._given,
            [operator],
            settings,
            seed=self._seed,
            engine=self._engine,
        )

    def generate(self, operator: Operator, settings: AugmentSettings) -> int:
        """Fill the journal; returns how many completions and measures are new in it."""
        plan = self.plan(operator, settings)
        size = settings.batch_size
        written = augment.generate(plan, self._engine, self._journal, size, Silent())
        measured = augment.measure(plan, self._engine, self._journal, settings, Silent())
        return written + measured

    def collect(self, operator: Operator, settings: AugmentSettings) -> list[Judged]:
        """Filter what the journal holds, and judge each text."""
        plan = self.plan(operator, settings)
        records = collect(
            plan,
            self._journal,
            settings,
            engine=self._engine,
            seed=self._seed,
        )
        planned_by_id = {planned.id: planned for planned in plan}
        pairs = ((planned_by_id[record.id], record) for record in records)
        return [self._judge(planned, record) for planned, record in pairs]

    def _judge(self, planned: Planned, record: Example | Rejected) -> Judged:
        ids = tuple(fact.id for fact in planned.premises.facts)
        text = record.text
        by = ""
        if isinstance(record, Rejected):
            text = operators.output(planned.operator, record.text, planned.answer)
            by = record.by
        return Judged(
            premises="+".join(ids),
            sample=planned.sample,
            relation=self.facts[ids[0]].relation.name,
            planned=planned,
            text=text,
            by=by,
            verdict=self._verdict(planned.operator.name, ids, text),
        )

    def _verdict(self, operator: str, ids: tuple[str, ...], text: str) -> Judgement:
        """Each text is judged once."""
        key = operator, ids, text
        if key not in self._verdicts:
            facts = [self.facts[fact_id] for fact_id in ids]
            self._verdicts[key] = JUDGES[operator](text, facts)
        return self._verdicts[key]


def measure(judged: Sequence[Judged]) -> Measured:
    """What was kept of the texts, and what of it is right."""
    kept = [one for one in judged if not one.by]
    right = [one for one in kept if one.verdict.right]
    return Measured(
        produced=len(judged),
        kept=len(kept),
        right=len(right),
        moved=sum(one.verdict.note == "tense" for one in right),
        facts=len({one.premises for one in judged}),
        covered=len({one.premises for one in right}),
    )


def seen(operator: Operator, facts: Sequence[WorldFact]) -> set[str]:
    """The relations of which a word, in any of the wordings their facts are given in, stands in an
    exemplar.
    """
    shown = set()
    for exemplar in operator.exemplars:
        for text in (*exemplar.premises, exemplar.result):
            names = [entity.text for entity in entities(text)]
            shown |= _relation_words(text, names)
    relations = set()
    for fact in facts:
        if shown & _relation_words(fact.text, fact.arguments):
            relations.add(fact.relation.name)
    return relations


def _relation_words(text: str, names: Sequence[str]) -> set[str]:
    """Stems of the content words of a text, names aside; "more" and "less" are words of a relation,
    too.
    """
    for name in names:
        capitalised = name[:1].upper() + name[1:]
        text = text.replace(name, "")
        text = text.replace(capitalised, "")
    comparing = {"more", "less"} & set(text.split())
    return {*content_stems(text), *comparing}


def ablate(bench: Bench, operator: Operator, settings: AugmentSettings) -> dict[str, Measured]:
    """Every filter taken away in turn ("keep", the limit per fact, too), then all of them."""

    def measured(variant: Operator, changed: AugmentSettings) -> Measured:
        judged = bench.collect(variant, changed)
        return measure(judged)

    unlimited = _without_limit(settings)
    ablation = {}
    for name in operator.filters:
        others = set(operator.filters) - {name}
        ablation[f"without {name}"] = measured(_with(operator, others), settings)
    ablation["without keep"] = measured(operator, unlimited)
    ablation["no filter"] = measured(_with(operator, set()), unlimited)
    ablation[ALL_FILTERS] = measured(operator, settings)  # last: the journal holds its verdicts
    return ablation


def _without_limit(settings: AugmentSettings) -> AugmentSettings:
    """So that all that passes is kept."""
    return settings.model_copy(update={"keep": settings.samples})


def _with(operator: Operator, filters: set[str]) -> Operator:
    """The operator with some of its filters, in their order."""
    chosen = tuple(name for name in operator.filters if name in filters)
    return operator.model_copy(update={"filters": chosen})


def candidates(bench: Bench, operator: Operator, settings: AugmentSettings) -> list[Json]:
    """Every produced text with its verdict and its votes: the labelled data that thresholds are
    chosen on.
    """
    voting = voting_shares(bench, operator, settings)
    rows = []
    for one in bench.collect(operator, settings):
        share = voting.get((one.premises, one.sample), 0.0)
        row = {
            "fact": one.premises,
            "operator": operator.name,
            "relation": one.relation,
            "source": one.source,
            "text": one.text,
            "sample": one.sample,
            "right": one.verdict.right,
            "note": one.verdict.note,
            "votes": round(share, 4),
            "by": one.by,
        }
        rows.append(row)
    return rows


def voting_shares(
    bench: Bench, operator: Operator, settings: AugmentSettings
) -> dict[tuple[str, int], float]:
    """(premises, sample) of what reaches the vote -> the share of its fact's texts that agree."""
    before = operator.filters
    if "vote" in before:
        before = before[: before.index("vote")]
    judged = bench.collect(_with(operator, set(before)), _without_limit(settings))
    passed = [one for one in judged if not one.by]
    voters = Counter(one.premises for one in passed)
    votes = Counter((one.premises, wording(one.text)) for one in passed)
    shares = {}
    for one in passed:
        agreeing = votes[one.premises, wording(one.text)]
        shares[one.premises, one.sample] = agreeing / voters[one.premises]
    return shares


def table(title: str, rows: Mapping[str, Measured]) -> None:
    """A line for each row; nothing where there are none."""
    if not rows:
        return
    shares = f"{'precision':>10}{'coverage':>10}{'yield':>8}"
    counts = f"{'kept':>7}{'right':>7}{'moved':>7}{'facts':>7}"
    print(f"\n{title:<34}{shares}{counts}")
    for name, row in rows.items():
        figures = row.shares()
        cells = [
            f"{name:<34}",
            f"{figures['precision']:>10.3f}",
            f"{figures['coverage']:>10.3f}",
            f"{figures['yield']:>8.3f}",
            f"{row.kept:>7}",
            f"{row.right:>7}",
            f"{row.moved:>7}",
            f"{row.facts:>7}",
        ]
        print("".join(cells))


def show(rows: Sequence[Json], limit: int) -> None:
    """The kept texts that count as wrong, those nobody could read first; then the facts with
    nothing right.
    """
    kept = [row for row in rows if not row["by"]]
    wrong = [row for row in kept if not row["right"]]
    wrong.sort(key=lambda row: row["note"] != "unparsed")
    print(f"\n{len(wrong)} kept texts count as wrong:")
    for row in wrong[:limit]:
        print(f"  {row['relation']:<16} {row['note']:<9} {row['source']}  ->  {row['text']}")
    covered = {row["fact"] for row in kept if row["right"]}
    missed: dict[str, list[Json]] = {}
    for row in rows:
        if row["fact"] not in covered:
            missed.setdefault(row["fact"], []).append(row)
    print(f"\n{len(missed)} facts have nothing right kept:")
    for fact_rows in list(missed.values())[:limit]:
        show_missed(fact_rows)


def show_missed(rows: Sequence[Json]) -> None:
    """A fact with what was written for it, the most frequent first."""
    first = rows[0]
    print(f"  {first['relation']:<16} {first['source']}")
    texts: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        verdict = row["by"] or "kept"
        texts[row["text"], verdict, row["note"]] += 1
    for (text, verdict, note), count in texts.most_common():
        print(f"      {count}x {verdict:<10} {note:<9} {text}")


def by_relation(judged: Sequence[Judged], known: set[str]) -> dict[str, Measured]:
    """Each relation, marked where it is known, and "seen" and "unseen" for all of either sort."""
    groups: dict[str, list[Judged]] = {}
    for one in judged:
        is_known = one.relation in known
        sort = "seen" if is_known else "unseen"
        relation = f"{one.relation} (seen)" if is_known else one.relation
        groups.setdefault(sort, []).append(one)
        groups.setdefault(relation, []).append(one)
    return {name: measure(groups[name]) for name in sorted(groups)}


def by_vote_share(
    bench: Bench, operator: Operator, settings: AugmentSettings
) -> dict[str, Measured]:
    """Under other thresholds of the vote, where the operator has one."""
    if "vote" not in operator.filters:
        return {}
    measured = {}
    for share in VOTE_SHARES:
        changed = settings.model_copy(update={"vote_share": share})
        measured[f"vote share {share}"] = measure(bench.collect(operator, changed))
    return measured


def run_operator(
    bench: Bench, operator: Operator, settings: AugmentSettings, limit: int
) -> tuple[Json, list[Json]]:
    """Generate, judge and print one operator; returns its figures and its candidates."""
    bench.generate(operator, settings)
    ablation = ablate(bench, operator, settings)
    known = seen(operator, list(bench.facts.values()))
    relations = by_relation(bench.collect(operator, settings), known)
    split = {name: relations.pop(name) for name in ("seen", "unseen") if name in relations}
    shares = by_vote_share(bench, operator, settings)
    table(f"{operator.name}: relations", relations)
    table(f"{operator.name}: filters", ablation)
    table(f"{operator.name}: exemplars", split)
    table(f"{operator.name}: agreement", shares)
    rows = candidates(bench, operator, settings)
    if limit:
        show(rows, limit)
    filtered = ablation[ALL_FILTERS]
    figures: Json = {**filtered.shares(), "kept": filtered.kept}
    figures["relations.seen"] = len(known)
    figures["relations.unseen"] = len(relations) - len(known)
    for name, measured in (*split.items(), *ablation.items(), *shares.items()):
        figures |= {f"{name}.{key}": share for key, share in measured.shares().items()}
    return figures, rows


def options() -> argparse.ArgumentParser:
    parser = benchmark.options(__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the world and of the samples")
    parser.add_argument(
        "--facts",
        type=int,
        default=4,
        help="per relation for the reversal; others get half as many",
    )
    parser.add_argument(
        "--operators", default=",".join(JUDGES), help="which to judge, comma-separated"
    )
    parser.add_argument("--model", help="which of the store writes; by default the embedded one")
    parser.add_argument(
        "--run", type=Path, help="folder that keeps the journal, to judge again without generating"
    )
    parser.add_argument(
        "--show", type=int, default=0, metavar="N", help="print N wrong and N missed ones"
    )
    return parser


def journal_of(folder: Path | None) -> Path | None:
    """Where a folder keeps the journal; None: in memory alone."""
    return None if folder is None else RunFolder(folder).journal


@dataclass(frozen=True, slots=True)
class Facts:
    """What the operators are given: all facts of the world, half as many, or facts that share
    names.
    """

    all: list[WorldFact]
    few: list[WorldFact]
    linked: list[WorldFact]

    def of_operator(self, name: str) -> list[WorldFact]:
        """Those that an operator is given."""
        if name in LINKED:
            return self.linked
        return self.all if name == "reversal" else self.few


def facts_of(seed: int, per_relation: int) -> Facts:
    """The facts of a seed; `few` are the first half of each relation's."""
    facts = world(seed, per_relation)
    half = (per_relation + 1) // 2
    few = [fact for number, fact in enumerate(facts) if number % per_relation < half]
    return Facts(
        all=facts,
        few=few,
        linked=linked(seed, half),
    )


def main() -> None:
    given = options().parse_args()
    names = tuple(given.operators.split(","))
    settings = Settings(augment=AugmentSettings(operators=names))
    model = store.find(given.model or settings.model)
    facts = facts_of(given.seed, given.facts)
    relations = len({fact.relation.name for fact in facts.all})
    print(f"{benchmark.machine('mlx', 'mlx-lm')}, {model.name}")
    print(
        f"seed {given.seed}: {len(facts.all)} facts, {relations} relations; {len(facts.linked)} "
        "facts that share names"
    )
    started = time.monotonic()
    figures: Json = {
        "facts": len(facts.all),
        "relations": relations,
        "linked_facts": len(facts.linked),
    }
    rows: list[Json] = []
    with open_journal(journal_of(given.run)) as journal:
        engine = mlx_engine(model, None)
        for operator in augment.load_operators(settings.augment):
            chosen = facts.of_operator(operator.name)
            bench = Bench(chosen, engine, journal, given.seed)
            measured, labelled = run_operator(bench, operator, settings.augment, given.show)
            figures |= {f"{operator.name}.{name}": value for name, value in measured.items()}
            rows += labelled
    figures["seconds"] = round(time.monotonic() - started)
    bars = {}
    for name, bound in BARS.items():
        if name in figures:
            bars[name] = benchmark.at_least(figures[name], bound)
    print()
    benchmark.finish(figures, bars, given.json, candidates=rows)


if __name__ == "__main__":
    main()
