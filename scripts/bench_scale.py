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
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from random import Random

GROWTH, MEMORY_MB = 1.3, 1000.0
SYLLABLES = "ba ko ri ten vas lu mi dor ne sha gol fi ur pel zan tho".split()
SHAPES = [
    "{a} designed the {b} radio.",
    "{a} is the head of the {b} Lab.",
    "{a} founded {b}.",
    "{a} is older than {b} Senn.",
    "The {b} mill belongs to {a}.",
    "{a} repairs the {b} ferry.",
    "{a} lives in {b}.",
]


def name(rng: Random) -> str:
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 3))).capitalize()


def write_facts(path: Path, count: int, seed: int) -> None:
    """Statements of which about every tenth shares its subject with another, and every fourth its
    object.
    """
    rng = Random(f"{seed}:scale")
    people = [f"{name(rng)} {name(rng)}" for _ in range(max(1, count // 2))]
    things = [f"{name(rng)}{rng.randint(2, 9999)}" for _ in range(max(1, count // 2))]
    seen: set[str] = set()
    with path.open("w") as file:
        file.write("fact\n")
        while len(seen) < count:
            text = rng.choice(SHAPES).format(a=rng.choice(people), b=rng.choice(things))
            if text not in seen:
                seen.add(text)
                file.write(f"{text}\n")


def measure(count: int, folder: Path, samples: int, seed: int) -> dict[str, float]:
    """One run over `count` facts, in this process. CPU seconds are of the run alone, without
    imports.
    """
    from augmlx.core.progress import Silent
    from augmlx.core.run_folder import RunFolder
    from augmlx.core.settings import AugmentSettings, Settings
    from augmlx.data.facts import read_facts
    from augmlx.engines.protocol import Request
    from augmlx.engines.scripted import ScriptedEngine
    from augmlx.english.sentence import arguments, closing_phrase
    from augmlx.run.pipeline import Pipeline

    def script(request: Request) -> str:
        """A right reversal, a wrong one, a rephrasing, a copy: so that every filter has work."""
        fact = request.suffix.split("\n")[0].removeprefix("Fact: ").rstrip(".")
        found, end = arguments(fact), closing_phrase(fact)
        sample = int(request.seed.rpartition(":")[2])
        if found is None or end is None:
            return " nothing."
        between = fact[found[0].end : found[1].start].strip()
        if sample % 4 == 3:
            return f" {between} {found[0].text} and {name(Random(request.seed))}."
        if ":reversal:" in request.seed:
            opened = (
                request.opening.casefold() != end.casefold()
            )  # with its verb: only the subject is missing
            return f" {found[0].text}." if opened else f" is {found[0].text}."
        return fact[found[0].end :] + ("." if sample % 2 else " indeed.")

    facts = folder / "facts.csv"
    write_facts(facts, count, seed)
    settings = Settings(seed=seed, augment=AugmentSettings(samples=samples))
    run = RunFolder(folder / "run")
    run.create(facts)
    arguments("Warm up.")
    started, cpu = time.monotonic(), time.process_time()
    with run.lock():
        pipeline = Pipeline(run, settings, Silent(), make_engine=lambda _: ScriptedEngine(script))
        pipeline.take_facts(read_facts(facts).facts)
        counts = pipeline.augment()
    cpu = time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 if sys.platform == "darwin" else 1024
    )
    if sys.platform == "darwin":
        peak /= 1024 * 1024
    trained = sum(1 for _ in (run.data / "train.jsonl").open())
    return {
        "facts": count,
        "cpu": cpu,
        "wall": time.monotonic() - started,
        "peak_mb": peak,
        "requests": counts["produced"],
        "kept": counts["kept"],
        "rows": trained,
    }


def measured(count: int, samples: int, seed: int) -> dict[str, float]:
    """`measure` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--measure", str(count), "--folder", folder]
        command += ["--samples", str(samples), "--seed", str(seed)]
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ}
        )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--samples", type=int, default=2, help="completions per fact and operator")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--repeats", type=int, default=5, help="runs of the smallest size; their median counts"
    )
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure, given.folder, given.samples, given.seed)))
        return
    packages = ", ".join(f"{package} {metadata.version(package)}" for package in ("mlx", "mlx-lm"))
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{packages}"
    )
    rows = []
    for size in sorted(given.sizes):
        runs = [
            measured(size, given.samples, given.seed)
            for _ in range(given.repeats if not rows else 1)
        ]
        rows.append({key: statistics.median(run[key] for run in runs) for key in runs[0]})
        row = rows[-1]
        print(
            f"{size:>8} facts  {row['requests']:>9.0f} requests  {row['kept']:>8.0f} kept  "
            f"{row['rows']:>8.0f} rows  "
            f"{1000 * row['cpu'] / size:>7.3f} ms CPU a fact  {row['peak_mb']:>7.0f} MB peak",
            flush=True,
        )
    growth = (rows[-1]["cpu"] / rows[-1]["facts"]) / (rows[0]["cpu"] / rows[0]["facts"])
    print(f"cost per fact: {growth:.2f} times that of the smallest set; bound {GROWTH}")
    bars = {
        "cost_per_fact_growth": {"value": growth, "bound": GROWTH, "ok": growth <= GROWTH},
        "peak_mb": {
            "value": rows[-1]["peak_mb"],
            "bound": MEMORY_MB,
            "ok": rows[-1]["peak_mb"] < MEMORY_MB,
        },
    }
    if given.json:
        figures = {
            f"{key}_{int(row['facts'])}": row[key]
            for row in rows
            for key in ("cpu", "wall", "peak_mb", "kept")
        }
        given.json.write_text(json.dumps({"figures": figures, "bars": bars}, indent=2) + "\n")
    sys.exit(0 if all(bar["ok"] for bar in bars.values()) else 1)


if __name__ == "__main__":
    main()
