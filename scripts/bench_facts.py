"""How good is what augmentation keeps of facts as people write them? Judged by the shipped exam.

    .venv/bin/python scripts/bench_facts.py --json facts.json
    .venv/bin/python scripts/bench_facts.py --model MODEL --run runs/facts --show 20

137 English facts of some thirty kinds (handbooks, prices, rules, conditions, software, medicine,
law, ...), each with what may be asked of it and how it may be said, written by somebody who knew
neither the filters nor their results (augmlx/augment/exam). Their judge shares no code with the
filters. Precision is the share of kept texts that it finds right, coverage the share of facts with
at least one.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import benchmark

from augmlx.augment.exam.gold import Gold, golds
from augmlx.augment.exam.judge import written_of
from augmlx.augment.exam.marks import Marks, mark
from augmlx.core.run_folder import RunFolder

OPERATORS = 'augment.operators=["reversal", "rephrase", "qa-forward", "qa-reverse"]'


def main() -> None:
    parser = benchmark.options(__doc__)
    parser.add_argument("--model", help="a model of the store; by default the embedded one")
    parser.add_argument("--language", default="en", help="of the facts: en, de, fr, es or zh")
    parser.add_argument("--run", type=Path, help="a run folder that is kept, and gone on with")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N wrong texts")
    given = parser.parse_args()
    asked = [gold for gold in golds() if gold.lang == given.language]
    with tempfile.TemporaryDirectory() as folder:
        run = given.run or Path(folder) / "run"
        augment(asked, run, given.model, Path(folder))
        kept = [written_of(example) for example in RunFolder(run).kept_examples()]
    marks = mark(asked, [written for written in kept if written is not None])
    tell(marks)
    for mistake in marks.mistakes[: given.show]:
        print(f"  {mistake.written.fact_id} {mistake.written.operator}: {mistake.written.text}")
        print(f"    {mistake.broken}")
    benchmark.finish(figures(marks), {}, given.json)


def augment(asked: list[Gold], run: Path, model: str | None, folder: Path) -> None:
    """Let the model write about the facts, as a user would."""
    table = folder / "facts.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "fact"])
        writer.writerows([gold.id, gold.fact] for gold in asked)
    command = [sys.executable, "-m", "augmlx", "augment", str(table), "-o", str(run)]
    command += ["--set", OPERATORS, *(["--model", model] if model else [])]
    subprocess.run(command, check=True)


def tell(marks: Marks) -> None:
    """Precision by operator, then coverage, as a table."""
    print(f"\n{'operator':<14}{'kept':>6}{'right':>7}  precision")
    for name, tally in [*marks.by_operator.items(), ("all", marks.all)]:
        print(f"{name:<14}{tally.kept:>6}{tally.right:>7}  {tally.precision or 0:.3f}")
    print(f"\ncoverage of {marks.facts} facts")
    for name, share in shares(marks).items():
        print(f"{name:<14}{share or 0:.3f}")


def shares(marks: Marks) -> dict[str, float | None]:
    covered = marks.coverage
    return {
        "question": covered.question.value,
        "both ends": covered.both_ends.value,
        "reversal": covered.reversal.value,
        "rephrase": covered.rephrase.value,
        "nothing": covered.nothing.value,
    }


def figures(marks: Marks) -> dict[str, object]:
    precision = {f"precision.{name}": tally.precision for name, tally in marks.by_operator.items()}
    coverage = {f"coverage.{name}": share for name, share in shares(marks).items()}
    return {"facts": marks.facts, "precision": marks.all.precision, **precision, **coverage}


if __name__ == "__main__":
    main()
