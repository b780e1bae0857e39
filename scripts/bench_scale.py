"""Cost per fact and peak memory of everything around the model: plan, journal, filters, split and
writing.

    .venv/bin/python scripts/bench_scale.py --json scale.json

A scripted engine writes in the model's place, so what is measured is augmlx itself. Each size runs
in a process of its own, which reports its CPU time and its peak memory. Bars: the cost per fact of
the largest set is at most 1.3 times that of the smallest, and the largest stays under 1 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import benchmark
from invented import full_name, name

if TYPE_CHECKING:
    from augmlx.engines.protocol import Request

GROWTH, MEMORY_MB = 1.3, 1000.0
SHAPES = [
    "{a} designed the {b} radio.",
    "{a} is the head of the {b} Lab.",
    "{a} founded {b}.",
    "{a} is older than {b} Senn.",
    "The {b} mill belongs to {a}.",
    "{a} repairs the {b} ferry.",
    "{a} lives in {b}.",
]
Figures = dict[str, float]  # of one size


def write_facts(path: Path, count: int, seed: int) -> None:
    """Statements of which about every tenth shares its subject with another, and every fourth its
    object.
    """
    rng = Random(f"{seed}:scale")
    half = max(1, count // 2)
    people = [full_name(rng) for _ in range(half)]
    things = [f"{name(rng)}{rng.randint(2, 9999)}" for _ in range(half)]
    texts: dict[str, None] = {}
    while len(texts) < count:
        shape = rng.choice(SHAPES)
        text = shape.format(a=rng.choice(people), b=rng.choice(things))
        texts[text] = None
    path.write_text("\n".join(["fact", *texts]) + "\n")


def completion(request: Request) -> str:
    """What the scripted engine writes: a right reversal, a wrong one, a rephrasing, a copy, so that
    every filter has work.
    """
    from augmlx.english.sentence import arguments, closing_phrase

    fact = request.suffix.split("\n")[0].removeprefix("Fact: ").rstrip(".")
    pair = arguments(fact)
    end = closing_phrase(fact)
    if pair is None or end is None:
        return " nothing."
    subject, other = pair
    sample = int(request.seed.rpartition(":")[2])
    if sample % 4 == 3:
        between = fact[subject.end : other.start].strip()
        return f" {between} {subject.text} and {name(Random(request.seed))}."
    if ":reversal:" in request.seed:
        # An opening that is more than the end has the verb: only the subject is missing.
        has_verb = request.opening.casefold() != end.casefold()
        return f" {subject.text}." if has_verb else f" is {subject.text}."
    rest = fact[subject.end :]
    return f"{rest}." if sample % 2 else f"{rest} indeed."


def measure(count: int, folder: Path, samples: int, seed: int) -> Figures:
    """One run over `count` facts, in this process. CPU seconds are of the run alone, without
    imports.
    """
    from augmlx.core.progress import Silent
    from augmlx.core.run_folder import RunFolder
    from augmlx.core.settings import AugmentSettings, Settings
    from augmlx.data.facts import read_facts
    from augmlx.engines.scripted import ScriptedEngine
    from augmlx.english.sentence import arguments
    from augmlx.run.pipeline import Pipeline

    facts = folder / "facts.csv"
    write_facts(facts, count, seed)
    settings = Settings(seed=seed, augment=AugmentSettings(samples=samples))
    run = RunFolder(folder / "run")
    run.create(facts)
    arguments("Warm up.")
    wall = time.monotonic()
    cpu = time.process_time()
    with run.lock():
        pipeline = Pipeline(
            run, settings, Silent(), make_engine=lambda _: ScriptedEngine(completion)
        )
        pipeline.take_facts(read_facts(facts).facts)
        counts = pipeline.augment()
    cpu = time.process_time() - cpu
    peak_mb = peak_memory_mb()
    with (run.data / "train.jsonl").open() as file:
        rows = sum(1 for _ in file)
    return {
        "facts": count,
        "cpu": cpu,
        "wall": time.monotonic() - wall,
        "peak_mb": peak_mb,
        "requests": counts["produced"],
        "kept": counts["kept"],
        "rows": rows,
    }


def peak_memory_mb() -> float:
    """In MiB. The kernel counts bytes on macOS and KiB on Linux."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def measured(count: int, samples: int, seed: int) -> Figures:
    """`measure` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            __file__,
            f"--measure={count}",
            f"--folder={folder}",
            f"--samples={samples}",
            f"--seed={seed}",
        ]
        process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: Figures = json.loads(process.stdout)
    return figures


def median_of(runs: list[Figures]) -> Figures:
    """Of each figure by itself."""
    medians = {}
    for key in runs[0]:
        values = [run[key] for run in runs]
        medians[key] = statistics.median(values)
    return medians


def print_row(row: Figures) -> None:
    """A size's line of the table."""
    cost = 1000 * row["cpu"] / row["facts"]
    cells = [
        f"{row['facts']:>8.0f} facts",
        f"{row['requests']:>9.0f} requests",
        f"{row['kept']:>8.0f} kept",
        f"{row['rows']:>8.0f} rows",
        f"{cost:>7.3f} ms CPU a fact",
        f"{row['peak_mb']:>7.0f} MB peak",
    ]
    print("  ".join(cells), flush=True)


def options() -> argparse.ArgumentParser:
    parser = benchmark.options(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--samples", type=int, default=2, help="completions per fact and operator")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--repeats", type=int, default=5, help="runs of the smallest size; their median counts"
    )
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser


def main() -> None:
    given = options().parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure, given.folder, given.samples, given.seed)))
        return
    print(benchmark.machine("mlx", "mlx-lm"))
    rows: list[Figures] = []
    for size in sorted(given.sizes):
        repeats = 1 if rows else given.repeats
        runs = [measured(size, given.samples, given.seed) for _ in range(repeats)]
        row = median_of(runs)
        print_row(row)
        rows.append(row)
    smallest, largest = rows[0], rows[-1]
    growth = (largest["cpu"] / largest["facts"]) / (smallest["cpu"] / smallest["facts"])
    print(f"cost per fact: {growth:.2f} times that of the smallest set\n")
    figures = {}
    for row in rows:
        for key in ("cpu", "wall", "peak_mb", "kept"):
            figures[f"{key}_{row['facts']:.0f}"] = row[key]
    bars = {
        "cost_per_fact_growth": benchmark.at_most(growth, GROWTH),
        "peak_mb": benchmark.at_most(largest["peak_mb"], MEMORY_MB),
    }
    benchmark.finish(figures, bars, given.json)


if __name__ == "__main__":
    main()
