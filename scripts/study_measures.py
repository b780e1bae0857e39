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
import json
import platform
import sys
from importlib import metadata
from pathlib import Path
from random import Random

from bench_quality import Bench, Judged
from quality_world import world

from augmlx.augment import generate
from augmlx.augment.filters import MEASURES, Candidate
from augmlx.augment.journal import open_journal
from augmlx.core.settings import AugmentSettings, Settings
from augmlx.engines.local import mlx_engine
from augmlx.models.store import folder as store

_BATCH = 32


def auc(right: list[float], wrong: list[float]) -> float:
    """The chance that a right text has a higher value than a wrong one."""
    pairs = [(r > w) + 0.5 * (r == w) for r in right for w in wrong]
    return sum(pairs) / len(pairs) if pairs else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--facts", type=int, default=4, help="facts per relation")
    parser.add_argument("--operators", default="reversal,rephrase")
    parser.add_argument("--texts", type=int, default=400, help="texts to score for each operator")
    parser.add_argument("--run", type=Path, help="folder with the journal of bench_quality.py")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    settings = Settings(augment=AugmentSettings(operators=tuple(given.operators.split(","))))
    print(
        f"{platform.platform()}, Python {platform.python_version()}, mlx-lm "
        f"{metadata.version('mlx-lm')}"
    )
    figures: dict[str, float] = {}
    with open_journal(given.run / "journal.sqlite" if given.run else None) as journal:
        engine = mlx_engine(store.find(settings.model), None)
        bench = Bench(world(given.seed, given.facts), engine, journal, given.seed)
        for operator in generate.load_operators(settings.augment):
            bench.generate(operator, settings.augment)
            texts: dict[tuple[str, str], Judged] = {}
            for judged in bench.collect(operator, settings.augment):
                texts.setdefault((judged.premises, judged.text), judged)
            chosen = sorted(texts.values(), key=lambda j: (j.premises, j.sample))
            chosen = Random(given.seed).sample(chosen, min(given.texts, len(chosen)))
            for name, measure in MEASURES.items():
                asked = []
                for j in chosen:
                    facts = tuple(fact.text for fact in j.planned.premises.facts)
                    candidate = Candidate(
                        j.sample, j.text, facts[0], "stop", facts, j.planned.answer
                    )
                    if j.text and (rows := measure.rows(candidate)):
                        asked.append((j, rows))
                values: list[tuple[float, bool, bool]] = []
                for start in range(0, len(asked), _BATCH):
                    batch = asked[start : start + _BATCH]
                    rows = [row for _, some in batch for row in some]
                    scores = iter(
                        engine.score([prompt for prompt, _ in rows], [text for _, text in rows])
                    )
                    for j, some in batch:
                        passed = j.by in ("", "vote", "duplicate", "keep", *MEASURES)
                        values.append(
                            (measure.value([next(scores) for _ in some]), j.found.right, passed)
                        )
                figures |= report(f"{operator.name}.{name}", values)
    if given.json:
        given.json.write_text(json.dumps({"figures": figures, "bars": {}}, indent=2) + "\n")
    sys.exit(0)


def report(title: str, values: list[tuple[float, bool, bool]]) -> dict[str, float]:
    every = auc([v for v, right, _ in values if right], [v for v, right, _ in values if not right])
    passed = [(v, right) for v, right, ok in values if ok]
    right = [v for v, ok in passed if ok]
    left = auc(right, [v for v, ok in passed if not ok])
    print(
        f"\n{title}: {len(values)} texts, AUC {every:.2f}; {len(passed)} past the rules, AUC "
        f"{left:.2f}"
    )
    ordered = sorted(v for v, _ in passed)
    for share in (0.0, 0.05, 0.1, 0.25, 0.5):
        threshold = ordered[int(share * (len(ordered) - 1))] if ordered else 0.0
        kept = [ok for v, ok in passed if v >= threshold]
        precision, recall = sum(kept) / max(1, len(kept)), sum(kept) / max(1, len(right))
        print(f"  at least {threshold:>7.2f}: precision {precision:.3f}, recall {recall:.3f}")
    return {
        f"{title}.auc": every,
        f"{title}.auc_past_rules": left,
        f"{title}.texts": float(len(values)),
    }


if __name__ == "__main__":
    main()
