"""Tokens that the model generates for each text that is kept, by this code and by an earlier one.

    scripts/bench_tokens.py --before CHECKOUT

Both write about the same facts (by default those of the demo) with the same operators, model and
seed; CHECKOUT is a folder with an earlier commit, run by this Python. Rounds are to need at most
0.6 of the tokens of a code that draws all samples at once. Also told: how many texts are kept.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import benchmark
from bench_facts import OPERATORS

HERE = Path(__file__).parents[1]
DEMO = HERE / "augmlx" / "data" / "starter_files" / "facts.csv"
BOUND = 0.6


def main() -> None:
    parser = benchmark.options(__doc__)
    parser.add_argument("--before", type=Path, help="a checkout of an earlier commit")
    parser.add_argument("--model", help="a model of the store; by default the embedded one")
    parser.add_argument("--facts", type=Path, default=DEMO)
    given = parser.parse_args()
    checkouts = {"now": HERE, **({"before": given.before} if given.before else {})}
    figures: dict[str, float] = {}
    print(f"{'':<8}{'tokens':>9}{'kept':>7}  tokens a kept text")
    for name, checkout in checkouts.items():
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            augment(checkout.resolve(), given.facts.resolve(), run, given.model)
            tokens, kept = spent(run)
        figures |= {f"{name}.tokens": tokens, f"{name}.kept": kept}
        figures[f"{name}.tokens_a_text"] = tokens / kept
        print(f"{name:<8}{tokens:>9}{kept:>7}  {tokens / kept:.1f}")
    bars = {}
    if given.before:
        ratio = figures["now.tokens_a_text"] / figures["before.tokens_a_text"]
        bars["tokens a kept text, of those before"] = benchmark.at_most(ratio, BOUND)
    benchmark.finish(figures, bars, given.json)


def augment(checkout: Path, facts: Path, run: Path, model: str | None) -> None:
    """Let a checkout's code write, as a user of it would."""
    command = [sys.executable, "-m", "augmlx", "augment", str(facts), "-o", str(run)]
    command += ["--set", OPERATORS, *(["--model", model] if model else [])]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    subprocess.run(command, check=True, cwd=checkout, env=environment)


def spent(run: Path) -> tuple[int, int]:
    """Tokens that a run generated, and texts that it kept."""
    with closing(sqlite3.connect(run / "journal.sqlite")) as journal:
        tokens = journal.execute("SELECT sum(tokens) FROM completions").fetchone()[0]
    with (run / "augmented.jsonl").open(encoding="utf-8") as kept:
        return int(tokens), sum(1 for _ in kept)


if __name__ == "__main__":
    main()
