"""How fast a LoRA adapter is trained: augmlx beside mlx_lm.lora, and torch + PEFT on the CPU as a
third column.

    .venv/bin/python scripts/bench_train.py --json train.json

The same model, examples, rank, layers, targets, optimizer (Adam at a constant rate), examples a
step and epochs, on (a) facts of about 15 tokens, (b) examples of 128 to 512 tokens, (c) a tiny
model with a vocabulary of 150,000. Each column trains in a process of its own, in turn; mlx_lm.lora
gets augmlx's BLAS. Tokens are those that carry loss, without padding. The first epoch, in which
shapes are compiled, is not timed. torch + PEFT is left out where it is not installed.

MFU: the operations that an epoch's real tokens need, over its seconds and the machine's best rate
in float32 matrix products, which the MLX columns measure behind each step: the best of the step's
own shapes and a large square one, and the mean of that over the timed steps, for a shared machine
is not as fast in one minute as in the next. A token needs 4 operations for each frozen weight of
the linear layers and the LM head (2 forward, 2 backward; frozen weights have no gradient of their
own) and 6 for each of the adapters'; a pair of positions in causal attention needs 12 for each
channel and layer. augmlx compiles its step here, as mlx_lm.lora does.

Bars: tokens a second at least 1.8 times mlx_lm.lora's on (a) and 1.2 times on (b), the peak of
MLX's memory at most 0.5 times on (c), an MFU of at least 0.4 on (a); and everywhere the same loss
(of one and the same evaluation, in nats a token) before the training, and the same fall of it, but
for the random A matrices and the order of the batches.

On (a) augmlx and torch + PEFT train held at anchors as well: KL(base || model) on one text of 40
tokens for each eight examples. Bar: at most 2 times the seconds of augmlx's plain step.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import util
from math import nan
from pathlib import Path
from typing import Any

import benchmark
from benchmark import Bar, at_least, at_most
from train_cases import CASES, Case
from train_columns import RANK, Work

from augmlx.models import blas
from augmlx.models.formats import model_folder

FASTER = {"a": 1.8, "b": 1.2}
MFU, MEMORY = 0.4, 0.5
START, FALL = 1e-3, 0.15  # nats; share of the fall of mlx_lm.lora's loss
HELD = 2.0  # times a plain step
OURS, PEER, TORCH = "augmlx", "mlx_lm.lora", "torch + PEFT"
OURS_HELD, TORCH_HELD = "augmlx, held", "torch, held"
SCRIPTS = Path(__file__).parent
Outcome = dict[str, Any]  # what a column measured of itself


def linears(config: dict[str, Any]) -> list[tuple[int, int]]:
    """(inputs, outputs) of the seven linear modules of a layer of a model of llama's form."""
    hidden = config["hidden_size"]
    inner = config["intermediate_size"]
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or hidden // heads
    queries = heads * head_dim
    keys = config.get("num_key_value_heads", heads) * head_dim
    return [
        (hidden, queries),
        (hidden, keys),
        (hidden, keys),
        (queries, hidden),
        (hidden, inner),
        (hidden, inner),
        (inner, hidden),
    ]


def operations(config: dict[str, Any], lengths: Sequence[int]) -> float:
    """Of one epoch over examples of so many tokens; the last token of each is only ever a
    target.
    """
    layers = config["num_hidden_layers"]
    shapes = linears(config)
    head = config["hidden_size"] * config["vocab_size"]
    layer = sum(inputs * outputs for inputs, outputs in shapes)
    layer_adapters = sum(RANK * (inputs + outputs) for inputs, outputs in shapes)
    frozen = layers * layer + head
    adapters = layers * layer_adapters
    _, width = shapes[0]
    inputs = [length - 1 for length in lengths]
    pairs = sum(n * (n + 1) // 2 for n in inputs)
    of_weights = (4 * frozen + 6 * adapters) * sum(inputs)
    of_attention = 12 * width * layers * pairs
    return of_weights + of_attention


def products(config: dict[str, Any], tokens: int) -> list[list[int]]:
    """(n, k, m) of the distinct matrix products of a step over so many tokens, forward and
    backward.
    """
    shapes = {*linears(config), (config["hidden_size"], config["vocab_size"])}
    forward = {(tokens, k, m) for k, m in shapes}
    backward = {(tokens, m, k) for k, m in shapes}
    return [list(shape) for shape in sorted(forward | backward)]


def child(script: str, *arguments: object) -> Outcome:
    """What a script of this folder prints, as JSON; it runs in a process of its own."""
    path = SCRIPTS / script
    command = [sys.executable, str(path), *map(str, arguments)]
    process = subprocess.run(command, check=False, capture_output=True, text=True)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{process.stderr[-4000:]}")
    outcome: Outcome = json.loads(process.stdout)
    return outcome


def measure(name: str, given: argparse.Namespace) -> dict[str, Outcome]:
    """Train every column on one case, in turn; the medians of its runs, by column."""
    case = CASES[name]
    count = case.batch_size if given.quick else case.count
    columns = columns_of(case, given)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        written = child("train_cases.py", name, count, given.model, folder)
        config = model_folder.read_config(Path(written["model"]))
        lengths = written["lengths"]
        learnt = sum(lengths) - count
        print_case_head(name, case, lengths, learnt)
        work = Work(
            model=written["model"],
            data=temporary,
            batch_size=case.batch_size,
            epochs=case.epochs,
            learning_rate=case.learning_rate,
            products=products(config, round(learnt / count * case.batch_size)),
        )
        runs = train_columns(columns, work, folder)
    outcomes = {column: median_of(column_runs) for column, column_runs in runs.items()}
    needed = operations(config, lengths) / (count // case.batch_size)
    add_mfu(plain(outcomes), needed)
    return outcomes


def columns_of(case: Case, given: argparse.Namespace) -> list[str]:
    """In the order that they train in; the MLX columns in turn."""
    columns = [PEER, OURS, *([OURS_HELD] if case.anchors else [])]
    columns *= 1 if given.quick else case.repeats
    if not given.no_torch:
        columns[2:2] = [TORCH, *([TORCH_HELD] if case.anchors else [])]
    return columns


def train_columns(columns: Sequence[str], work: Work, folder: Path) -> dict[str, list[Outcome]]:
    """Each in a process of its own; what each run came to, by column."""
    runs: dict[str, list[Outcome]] = {}
    for number, column in enumerate(columns):
        own_folder = folder / str(number)
        own_folder.mkdir()
        (own_folder / "work.json").write_text(json.dumps(dataclasses.asdict(work)))
        outcome = child("train_columns.py", column, own_folder)
        runs.setdefault(column, []).append(outcome)
        print_outcome(column, outcome)
    return runs


def print_case_head(name: str, case: Case, lengths: Sequence[int], learnt: int) -> None:
    """What is trained on, and the head of the table. `learnt`: tokens."""
    print(
        f"({name}) {case.about}: {len(lengths)} examples of {min(lengths)} to {max(lengths)} "
        f"tokens, {learnt} to learn; {case.batch_size} a step, {case.epochs} epochs"
    )
    losses = "loss before, and after each epoch"
    print(f"{'':<14}{'tokens/s':>9}{'s/step':>8}{'MLX MB':>8}{'RSS MB':>8}  {losses}", flush=True)


def print_outcome(column: str, outcome: Outcome) -> None:
    """A run's line of the table."""
    losses = " ".join(f"{loss:.4f}" for loss in outcome["losses"])
    cells = [
        f"{column:<14}",
        f"{outcome['tokens_per_second']:>9.1f}",
        f"{outcome['seconds_per_step']:>8.2f}",
        f"{outcome['peak_mlx_mb'] or nan:>8.0f}",
        f"{outcome['peak_rss_mb']:>8.0f}",
        f"  {losses}",
    ]
    print("".join(cells), flush=True)


def median_of(runs: Sequence[Outcome]) -> Outcome:
    """Of each figure by itself; the losses are the first run's."""
    medians = dict(runs[0])
    for key in medians:
        if key != "losses":
            values = [run[key] for run in runs]
            medians[key] = statistics.median(values)
    return medians


def plain(outcomes: dict[str, Outcome]) -> dict[str, Outcome]:
    """Those of the columns that all do the same."""
    return {name: what for name, what in outcomes.items() if name not in (OURS_HELD, TORCH_HELD)}


def add_mfu(outcomes: dict[str, Outcome], needed: float) -> None:
    """Give each column its share of the machine's best rate.

    Args:
        needed: operations of a step.
    """
    rate = outcomes[OURS]["sgemm_gflops"]
    if TORCH in outcomes:  # it measures no products of MLX's
        outcomes[TORCH]["sgemm_gflops"] = rate
    for outcome in outcomes.values():
        per_second = needed / outcome["seconds_per_step"]
        outcome["mfu"] = per_second / (1e9 * outcome["sgemm_gflops"])
    shares = ", ".join(f"{column} {outcome['mfu']:.3f}" for column, outcome in outcomes.items())
    print(
        f"{needed / 1e9:.0f} GFLOP a step; products at {rate:.0f} GFLOP/s; MFU: {shares}\n",
        flush=True,
    )


def bars_of(name: str, outcomes: dict[str, Outcome]) -> dict[str, Bar]:
    """The bars of a case: of speed and memory where it has one, and that all learn the same."""
    ours, peer = outcomes[OURS], outcomes[PEER]
    bars = {}
    if name in FASTER:
        times = ours["tokens_per_second"] / peer["tokens_per_second"]
        bars[f"{name}_times_mlx_lm"] = at_least(times, FASTER[name])
    if name == "a":
        bars["a_mfu"] = at_least(ours["mfu"], MFU)
    if name == "c":
        memory = ours["peak_mlx_mb"] / peer["peak_mlx_mb"]
        bars["c_memory"] = at_most(memory, MEMORY)
    if OURS_HELD in outcomes:
        times = outcomes[OURS_HELD]["seconds_per_step"] / ours["seconds_per_step"]
        bars[f"{name}_held_times_plain"] = at_most(times, HELD)
    starts = [outcome["losses"][0] for outcome in plain(outcomes).values()]
    ends = [outcome["losses"][-1] for outcome in plain(outcomes).values()]
    fall = peer["losses"][0] - peer["losses"][-1]
    bars[f"{name}_loss_before"] = at_most(max(starts) - min(starts), START)
    bars[f"{name}_loss_fall"] = at_most((max(ends) - min(ends)) / fall, FALL)
    return bars


def options() -> argparse.ArgumentParser:
    parser = benchmark.options(__doc__)
    parser.add_argument(
        "--model",
        default="smollm2-135m",
        help="name in the store, or a model folder; for (a) and (b)",
    )
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--no-torch", action="store_true", help="leave out the third column")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one step an epoch: shows that all runs, measures little",
    )
    return parser


def print_head(model: str, packages: Sequence[str]) -> None:
    print(benchmark.machine(*packages))
    print(f"{model}, rank {RANK}, {blas.describe()}")
    load = benchmark.load_of_others()
    if load is not None:
        print(
            f"others are at work here (load {load:.1f}): that weighs on every rate, and most on "
            "the MFU"
        )


def main() -> None:
    given = options().parse_args()
    packages = ["mlx", "mlx-lm"]
    has_torch = bool(util.find_spec("torch") and util.find_spec("peft"))
    if has_torch:
        packages += ["torch", "peft"]
    print_head(given.model, packages)
    if not has_torch and not given.no_torch:
        print("no column of torch + PEFT: they are not installed (the hf extra brings them)")
        given.no_torch = True
    print(flush=True)
    figures: dict[str, Any] = {}
    bars: dict[str, Bar] = {}
    for name in given.cases:
        outcomes = measure(name, given)
        bars |= bars_of(name, outcomes)
        for column, outcome in outcomes.items():
            figures |= {f"{name} {column} {key}": value for key, value in outcome.items()}
    benchmark.finish(figures, bars, given.json)


if __name__ == "__main__":
    main()
