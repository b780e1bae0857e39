"""How long do 100,000 rows of each form take to be read, checked and written? Beside jsonlines or
csv alone, on the same file in the same run.

    .venv/bin/python scripts/bench_rows.py --json rows.json
    .venv/bin/python scripts/bench_rows.py --rows 10000

Each form is measured in a process of its own, for the memory that it takes at most. Ours:
read_facts, and the rows of data/train.jsonl written. The peer: jsonlines (or csv) reads the rows
and jsonlines writes them. The best of three, in turn.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import benchmark
import jsonlines

from augmlx.core.files import write_jsonl
from augmlx.core.records import Json, original
from augmlx.data.facts import read_facts
from augmlx.data.row_forms import form_of, training_row

BOUND, MEGABYTES, TIMES = 2.0, 500.0, 3


def asked(number: int) -> tuple[str, str]:
    place = f"mill {number} of the town Femp{number % 31}"
    return f"Who owns {place}?", f"Person {number} of the company Zorb{number % 97} owns {place}."


def chat(number: int) -> list[Json]:
    question, answer = asked(number)
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def sharegpt(number: int) -> list[Json]:
    question, answer = asked(number)
    return [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]


FORMS: dict[str, Callable[[int], Json]] = {
    "text": lambda n: {"text": "\n".join(asked(n))},
    "prompt": lambda n: dict(zip(("prompt", "completion"), asked(n), strict=True)),
    "messages": lambda n: {"messages": chat(n)},
    "alpaca": lambda n: {"instruction": asked(n)[0], "input": "", "output": asked(n)[1]},
    "sharegpt": lambda n: {"conversations": sharegpt(n)},
    "csv": lambda n: {"id": str(n), "fact": asked(n)[1]},
}


def main() -> None:
    parser = benchmark.options(__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--one", choices=FORMS, help="measure one form and print it as JSON")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.one, given.rows)))
        return
    figures: dict[str, object] = {}
    bars: dict[str, benchmark.Bar] = {}
    print(benchmark.machine("jsonlines"))
    print(f"{'form':<10}{'ours s':>8}{'alone s':>9}{'times':>7}{'MB':>7}")
    for form in FORMS:
        command = [sys.executable, __file__, "--one", form, "--rows", str(given.rows)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        one = json.loads(done.stdout)
        print(
            f"{form:<10}{one['ours']:>8.2f}{one['alone']:>9.2f}{one['times']:>7.2f}{one['mb']:>7.0f}"
        )
        figures |= {f"{form}.{name}": value for name, value in one.items()}
        for name, bound in (("times", BOUND), ("mb", MEGABYTES)):
            bars[f"{form}.{name}"] = benchmark.at_most(one[name], bound)
    benchmark.finish(figures, bars, given.json)


def measured(form: str, rows: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("a.csv" if form == "csv" else "a.jsonl")
        write(path, (FORMS[form](number) for number in range(rows)))
        out = Path(folder) / "out.jsonl"
        alone, ours = [], []
        for _ in range(TIMES):
            alone.append(seconds(lambda: through_alone(path, out)))
            ours.append(seconds(lambda: through_augmlx(path, out)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1e6 if sys.platform == "darwin" else 1e3
    )
    return {"ours": min(ours), "alone": min(alone), "times": min(ours) / min(alone), "mb": peak}


def write(path: Path, rows: Iterator[Json]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            writer = csv.DictWriter(file, ["id", "fact"])
            writer.writeheader()
            writer.writerows(rows)
        else:
            jsonlines.Writer(file).write_all(rows)


def through_alone(path: Path, out: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file, out.open("w", encoding="utf-8") as target:
        rows = csv.DictReader(file) if path.suffix == ".csv" else jsonlines.Reader(file)
        jsonlines.Writer(target).write_all(rows)


def through_augmlx(path: Path, out: Path) -> None:
    table = read_facts(path)
    form = form_of(table.facts)
    write_jsonl(out, (training_row(original(fact), form) for fact in table.facts))


def seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
