"""How good is what augmentation keeps? Judged over a generated world whose true consequences are
known.

    .venv/bin/python scripts/bench_quality.py --json quality.json
    .venv/bin/python scripts/bench_quality.py --run quality --show 40   # keeps the journal

Precision is the share of kept texts that are right, coverage the share of facts with at least one
right kept text, yield the share of produced texts that are kept. Each filter is taken away in turn,
and all of them together. A relation counts as seen by an operator where one of its words stands in
the operator's exemplars.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

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
LINKED = frozenset(
    {"contraposition", "conversion", "syllogism", "inheritance", "chain", "bridge"}
)  # of which world
BARS = {"reversal.precision": 0.90, "reversal.coverage": 0.60}
VOTE_SHARES = (0.0, 0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one request, and what the world says to it. `by` names the filter that
    objected, or nothing.
    """

    premises: str  # ids
    sample: int
    relation: str
    planned: Planned
    text: str
    by: str
    found: Judgement

    @property
    def source(self) -> str:
        return " ".join(fact.text for fact in self.planned.premises.facts)


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of a set of facts under one operator."""

    produced: int
    kept: int
    right: int
    moved: int  # of those right: the time has moved ("owns" -> "was owned by")
    facts: int
    covered: int

    def as_json(self) -> Json:
        return {
            "precision": round(self.right / self.kept, 4) if self.kept else 0.0,
            "coverage": round(self.covered / self.facts, 4) if self.facts else 0.0,
            "yield": round(self.kept / self.produced, 4) if self.produced else 0.0,
            **dataclasses.asdict(self),
        }


class Bench:
    """One world, its completions in a journal, and what the filters make of them."""

    def __init__(
        self, facts: Sequence[WorldFact], engine: Engine, journal: Journal, seed: int
    ) -> None:
        self.facts = {fact.id: fact for fact in facts}
        self._given = [Fact(fact.id, fact.text, "world") for fact in facts]
        self._engine, self._journal, self._seed = engine, journal, seed
        self._judged: dict[tuple[str, tuple[str, ...], str], Judgement] = {}

    def plan(self, operator: Operator, settings: AugmentSettings) -> Plan:
        return Plan(self._given, [operator], settings, seed=self._seed, engine=self._engine)

    def generate(self, operator: Operator, settings: AugmentSettings) -> int:
        plan = self.plan(operator, settings)
        written = augment.generate(plan, self._engine, self._journal, settings.batch_size, Silent())
        return written + augment.measure(plan, self._engine, self._journal, settings, Silent())

    def collect(self, operator: Operator, settings: AugmentSettings) -> list[Judged]:
        plan = self.plan(operator, settings)
        records = collect(plan, self._journal, settings, engine=self._engine, seed=self._seed)
        return [self._judge(p, record) for p, record in zip(plan, records, strict=True)]

    def _judge(self, p: Planned, record: Example | Rejected) -> Judged:
        ids = tuple(fact.id for fact in p.premises.facts)
        text = (
            operators.output(p.operator, record.text, p.answer)
            if isinstance(record, Rejected)
            else record.text
        )
        key = p.operator.name, ids, text
        if key not in self._judged:
            self._judged[key] = JUDGES[p.operator.name](text, [self.facts[name] for name in ids])
        by = record.by if isinstance(record, Rejected) else ""
        return Judged(
            "+".join(ids),
            p.sample,
            self.facts[ids[0]].relation.name,
            p,
            text,
            by,
            self._judged[key],
        )


def measure(judged: Sequence[Judged]) -> Measured:
    kept = [j for j in judged if not j.by]
    right = [j for j in kept if j.found.right]
    return Measured(
        produced=len(judged),
        kept=len(kept),
        right=len(right),
        moved=sum(j.found.note == "tense" for j in right),
        facts=len({j.premises for j in judged}),
        covered=len({j.premises for j in right}),
    )


def seen(operator: Operator, facts: Sequence[WorldFact]) -> set[str]:
    """The relations of which a word, in any of the wordings their facts are given in, stands in an
    exemplar.
    """
    shown = set()
    for exemplar in operator.exemplars:
        for text in (*exemplar.premises, exemplar.result):
            shown |= _relation_words(text, [entity.text for entity in entities(text)])
    return {
        fact.relation.name for fact in facts if shown & _relation_words(fact.text, fact.arguments)
    }


def _relation_words(text: str, names: Sequence[str]) -> set[str]:
    """Stems of the content words of a text, names aside; "more" and "less" are words of a relation,
    too.
    """
    for name in names:
        text = text.replace(name, "").replace(name[:1].upper() + name[1:], "")
    return {*content_stems(text), *({"more", "less"} & set(text.split()))}


def ablate(bench: Bench, operator: Operator, settings: AugmentSettings) -> dict[str, Measured]:
    """Every filter taken away in turn ("keep", the limit per fact, too), then all of them."""
    unlimited = settings.model_copy(update={"keep": settings.samples})
    named = operator.filters
    variants = {
        f"without {name}": (_with(operator, set(named) - {name}), settings) for name in named
    }
    variants |= {
        "without keep": (operator, unlimited),
        "no filter": (_with(operator, set()), unlimited),
    }
    variants["all filters"] = operator, settings  # last, so that the journal holds its verdicts
    return {name: measure(bench.collect(*variant)) for name, variant in variants.items()}


def _with(operator: Operator, filters: set[str]) -> Operator:
    return operator.model_copy(
        update={"filters": tuple(name for name in operator.filters if name in filters)}
    )


def candidates(bench: Bench, operator: Operator, settings: AugmentSettings) -> list[Json]:
    """Every produced text with its verdict and its votes: the labelled data that thresholds are
    chosen on.
    """
    unlimited = settings.model_copy(update={"keep": settings.samples})
    before = (
        operator.filters[: operator.filters.index("vote")]
        if "vote" in operator.filters
        else operator.filters
    )
    passed = [j for j in bench.collect(_with(operator, set(before)), unlimited) if not j.by]
    voters = Counter(j.premises for j in passed)
    votes = Counter((j.premises, wording(j.text)) for j in passed)
    survived = {(j.premises, j.sample) for j in passed}
    rows = []
    for j in bench.collect(operator, settings):
        share = (
            votes[j.premises, wording(j.text)] / voters[j.premises]
            if (j.premises, j.sample) in survived
            else 0.0
        )
        row = {
            "fact": j.premises,
            "operator": operator.name,
            "relation": j.relation,
            "source": j.source,
        }
        row |= {"text": j.text, "sample": j.sample, "right": j.found.right, "note": j.found.note}
        rows.append({**row, "votes": round(share, 4), "by": j.by})
    return rows


def table(title: str, rows: dict[str, Measured]) -> None:
    if not rows:
        return
    print(
        f"\n{title:<34}{'precision':>10}{'coverage':>10}{'yield':>8}{'kept':>7}{'right':>7}{'moved':>7}{'facts':>7}"
    )
    for name, m in rows.items():
        v = m.as_json()
        figures = f"{v['precision']:>10.3f}{v['coverage']:>10.3f}{v['yield']:>8.3f}"
        print(f"{name:<34}{figures}{m.kept:>7}{m.right:>7}{m.moved:>7}{m.facts:>7}")


def show(rows: Sequence[Json], limit: int) -> None:
    """The kept texts that count as wrong, those nobody could read first; then the facts with
    nothing right.
    """
    wrong = sorted(
        (r for r in rows if not r["by"] and not r["right"]), key=lambda r: r["note"] != "unparsed"
    )
    print(f"\n{len(wrong)} kept texts count as wrong:")
    for row in wrong[:limit]:
        print(f"  {row['relation']:<16} {row['note']:<9} {row['source']}  ->  {row['text']}")
    covered = {row["fact"] for row in rows if not row["by"] and row["right"]}
    missed: dict[str, list[Json]] = {}
    for row in rows:
        if row["fact"] not in covered:
            missed.setdefault(row["fact"], []).append(row)
    print(f"\n{len(missed)} facts have nothing right kept:")
    for members in list(missed.values())[:limit]:
        print(f"  {members[0]['relation']:<16} {members[0]['source']}")
        texts = Counter((m["text"], m["by"] or "kept", m["note"]) for m in members)
        for (text, by, note), count in texts.most_common():
            print(f"      {count}x {by:<10} {note:<9} {text}")


def run_operator(
    bench: Bench, operator: Operator, settings: AugmentSettings, limit: int
) -> tuple[Json, list[Json]]:
    """Generate, judge and print one operator; returns its figures and its candidates."""
    bench.generate(operator, settings)
    ablation = ablate(bench, operator, settings)
    known = seen(operator, list(bench.facts.values()))
    groups: dict[str, list[Judged]] = {}
    for j in bench.collect(operator, settings):
        name = j.relation
        groups.setdefault("seen" if name in known else "unseen", []).append(j)
        groups.setdefault(f"{name}{' (seen)' if name in known else ''}", []).append(j)
    relations = {name: measure(members) for name, members in sorted(groups.items())}
    split = {name: relations.pop(name) for name in ("seen", "unseen") if name in relations}
    shares: dict[str, Measured] = {}
    if "vote" in operator.filters:
        for share in VOTE_SHARES:
            changed = settings.model_copy(update={"vote_share": share})
            shares[f"vote share {share}"] = measure(bench.collect(operator, changed))
    table(f"{operator.name}: relations", relations)
    table(f"{operator.name}: filters", ablation)
    table(f"{operator.name}: exemplars", split)
    table(f"{operator.name}: agreement", shares)
    rows = candidates(bench, operator, settings)
    if limit:
        show(rows, limit)
    figures: Json = {**_core(ablation["all filters"]), "kept": ablation["all filters"].kept}
    figures |= {"relations.seen": len(known), "relations.unseen": len(relations) - len(known)}
    for name, measured in (*split.items(), *ablation.items(), *shares.items()):
        figures |= {f"{name}.{key}": value for key, value in _core(measured).items()}
    return figures, rows


def _core(measured: Measured) -> dict[str, float]:
    return {key: measured.as_json()[key] for key in ("precision", "coverage", "yield")}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    parser.add_argument(
        "--run", type=Path, help="folder that keeps the journal, to judge again without generating"
    )
    parser.add_argument(
        "--show", type=int, default=0, metavar="N", help="print N wrong and N missed ones"
    )
    parser.add_argument(
        "--json", type=Path, help="where to write figures, bars and labelled candidates"
    )
    given = parser.parse_args()
    settings = Settings(augment=AugmentSettings(operators=tuple(given.operators.split(","))))
    model = store.find(settings.model)
    versions = " ".join(f"{name} {importlib.metadata.version(name)}" for name in ("mlx", "mlx-lm"))
    facts, pairs = world(given.seed, given.facts), linked(given.seed, (given.facts + 1) // 2)
    relations = len({fact.relation.name for fact in facts})
    print(f"{platform.platform()}, Python {platform.python_version()}, {versions}, {model.name}")
    print(
        f"seed {given.seed}: {len(facts)} facts, {relations} relations; {len(pairs)} facts that "
        f"share names"
    )
    started = time.monotonic()
    figures: Json = {"facts": len(facts), "relations": relations, "linked_facts": len(pairs)}
    rows: list[Json] = []
    with open_journal(given.run / "journal.sqlite" if given.run else None) as journal:
        engine = mlx_engine(model, None)
        few = [fact for n, fact in enumerate(facts) if n % given.facts < (given.facts + 1) // 2]
        for operator in augment.load_operators(settings.augment):
            chosen = (
                pairs if operator.name in LINKED else facts if operator.name == "reversal" else few
            )
            bench = Bench(chosen, engine, journal, given.seed)
            found, labelled = run_operator(bench, operator, settings.augment, given.show)
            figures |= {f"{operator.name}.{name}": value for name, value in found.items()}
            rows += labelled
    bars = {
        name: {"value": figures[name], "bound": bound, "ok": figures[name] >= bound}
        for name, bound in BARS.items()
        if name in figures
    }
    figures["seconds"] = round(time.monotonic() - started)
    for name, bar in bars.items():
        print(
            f"{'ok    ' if bar['ok'] else 'MISSED'} {name} {bar['value']:.3f} (at least "
            f"{bar['bound']})"
        )
    if given.json:
        given.json.write_text(
            json.dumps({"figures": figures, "bars": bars, "candidates": rows}, indent=1) + "\n"
        )
    sys.exit(0 if all(bar["ok"] for bar in bars.values()) else 1)


if __name__ == "__main__":
    main()
