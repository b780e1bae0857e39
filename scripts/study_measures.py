"""What the measured filters are worth: each measure against the truth of a generated world, and
where to draw the line.

    .venv/bin/python scripts/study_measures.py --run quality --json measures.json

Takes what the model wrote for the world of bench_quality.py (from its journal, where --run names
one), one line for each different text of a fact, and scores it. Printed for each measure: the area
under the ROC curve (0.5 is a coin) over all texts and over those that the rules let through, and
precision and recall of the latter by threshold.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import benchmark
from bench_quality import Bench, Judged, journal_of
from quality_world import world

from augmlx.augment import generate
from augmlx.augment.filters import MEASURES, Candidate
from augmlx.augment.journal import open_journal
from augmlx.augment.operators import Operator
from augmlx.core.settings import AugmentSettings, Settings
from augmlx.engines.local import mlx_engine
from augmlx.engines.protocol import Engine
from augmlx.models.store import folder as store

_BATCH = 32
_NO_RULES = ("", "vote", "duplicate", "keep", *MEASURES)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The value of a measure on a text, whether the text is right, and whether the rules let it
    through.
    """

    value: float
    right: bool
    passed: bool


def auc(right: Sequence[float], wrong: Sequence[float]) -> float:
    """The chance that a right text has a higher value than a wrong one; NaN where there is no
    pair.
    """
    wins = 0.0
    for high in right:
        for low in wrong:
            wins += (high > low) + 0.5 * (high == low)
    pairs = len(right) * len(wrong)
    return wins / pairs if pairs else float("nan")


def auc_of(measurements: Sequence[Measurement]) -> float:
    """Of all these texts."""
    right = [one.value for one in measurements if one.right]
    wrong = [one.value for one in measurements if not one.right]
    return auc(right, wrong)


def different_texts(bench: Bench, operator: Operator, settings: AugmentSettings) -> list[Judged]:
    """One line for each different text of a fact."""
    texts: dict[tuple[str, str], Judged] = {}
    for judged in bench.collect(operator, settings):
        texts.setdefault((judged.premises, judged.text), judged)
    return sorted(texts.values(), key=lambda one: (one.premises, one.sample))


def candidate(judged: Judged) -> Candidate:
    """What a measure is asked about."""
    planned = judged.planned
    facts = tuple(fact.text for fact in planned.premises.facts)
    return Candidate(
        sample=judged.sample,
        text=judged.text,
        source=facts[0],
        finish="stop",
        premises=facts,
        answer=planned.answer,
    )


def measured(name: str, texts: Sequence[Judged], engine: Engine) -> list[Measurement]:
    """The value of a measure on each of the texts that it has one for."""
    measure = MEASURES[name]
    asked = []
    for judged in texts:
        rows = measure.rows(candidate(judged)) if judged.text else ()
        if rows:
            asked.append((judged, rows))
    measurements = []
    for start in range(0, len(asked), _BATCH):
        batch = asked[start : start + _BATCH]
        rows_of_batch = [row for _, rows in batch for row in rows]
        prompts, continuations = zip(*rows_of_batch, strict=True)
        scores = iter(engine.score(prompts, continuations))
        for judged, rows in batch:
            value = measure.value([next(scores) for _ in rows])
            passed = judged.by in _NO_RULES
            measurements.append(Measurement(value, judged.verdict.right, passed))
    return measurements


def report(title: str, measurements: Sequence[Measurement]) -> dict[str, float]:
    """Print what a measure is worth; returns the figures."""
    passed = [one for one in measurements if one.passed]
    figures = {
        f"{title}.auc": auc_of(measurements),
        f"{title}.auc_past_rules": auc_of(passed),
        f"{title}.texts": float(len(measurements)),
    }
    print(
        f"\n{title}: {len(measurements)} texts, AUC {figures[f'{title}.auc']:.2f}; {len(passed)} "
        f"past the rules, AUC {figures[f'{title}.auc_past_rules']:.2f}"
    )
    all_right = sum(one.right for one in passed)
    ordered = sorted(one.value for one in passed)
    for share in (0.0, 0.05, 0.1, 0.25, 0.5):
        threshold = ordered[int(share * (len(ordered) - 1))] if ordered else 0.0
        kept = [one for one in passed if one.value >= threshold]
        right = sum(one.right for one in kept)
        precision = right / max(1, len(kept))
        recall = right / max(1, all_right)
        print(f"  at least {threshold:>7.2f}: precision {precision:.3f}, recall {recall:.3f}")
    return figures


def options() -> argparse.ArgumentParser:
    parser = benchmark.options(__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--facts", type=int, default=4, help="facts per relation")
    parser.add_argument("--operators", default="reversal,rephrase")
    parser.add_argument("--texts", type=int, default=400, help="texts to score for each operator")
    parser.add_argument("--run", type=Path, help="folder with the journal of bench_quality.py")
    return parser


def main() -> None:
    given = options().parse_args()
    names = tuple(given.operators.split(","))
    settings = Settings(augment=AugmentSettings(operators=names))
    print(benchmark.machine("mlx", "mlx-lm"))
    figures: dict[str, float] = {}
    with open_journal(journal_of(given.run)) as journal:
        engine = mlx_engine(store.find(settings.model), None)
        bench = Bench(world(given.seed, given.facts), engine, journal, given.seed)
        for operator in generate.load_operators(settings.augment):
            bench.generate(operator, settings.augment)
            texts = different_texts(bench, operator, settings.augment)
            chosen = Random(given.seed).sample(texts, min(given.texts, len(texts)))
            for name in MEASURES:
                measurements = measured(name, chosen, engine)
                figures |= report(f"{operator.name}.{name}", measurements)
    benchmark.finish(figures, {}, given.json)


if __name__ == "__main__":
    main()
