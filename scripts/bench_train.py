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
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata, util
from math import nan
from pathlib import Path
from typing import Any

from train_cases import CASES
from train_columns import RANK, Work

from augmlx.models import blas
from augmlx.models.formats import model_folder

FASTER = {"a": 1.8, "b": 1.2}
MFU, MEMORY = 0.4, 0.5
START, FALL = 1e-3, 0.15  # nats; share of the fall of mlx_lm.lora's loss
OURS, PEER, TORCH = "augmlx", "mlx_lm.lora", "torch + PEFT"
SCRIPTS = Path(__file__).parent


def linears(config: dict[str, Any]) -> list[tuple[int, int]]:
    """(inputs, outputs) of the seven linear modules of a layer of a model of llama's form."""
    hidden, inner, heads = (
        config["hidden_size"],
        config["intermediate_size"],
        config["num_attention_heads"],
    )
    head = config.get("head_dim") or hidden // heads
    keys = config.get("num_key_value_heads", heads) * head
    attention = [(hidden, heads * head), (hidden, keys), (hidden, keys), (heads * head, hidden)]
    return [*attention, (hidden, inner), (hidden, inner), (inner, hidden)]


def operations(config: dict[str, Any], lengths: Sequence[int]) -> float:
    """Of one epoch over examples of so many tokens; the last token of each is only ever a
    target.
    """
    layers = config["num_hidden_layers"]
    frozen = (
        layers * sum(n * m for n, m in linears(config))
        + config["hidden_size"] * config["vocab_size"]
    )
    adapters = layers * sum(RANK * (n + m) for n, m in linears(config))
    width = linears(config)[0][1]
    inputs = [length - 1 for length in lengths]
    pairs = sum(n * (n + 1) // 2 for n in inputs)
    return (4 * frozen + 6 * adapters) * sum(inputs) + 12 * width * layers * pairs


def products(config: dict[str, Any], tokens: int) -> list[list[int]]:
    """(n, k, m) of the distinct matrix products of a step over so many tokens, forward and
    backward.
    """
    shapes = {*linears(config), (config["hidden_size"], config["vocab_size"])}
    return sorted({(tokens, *shape) for shape in shapes} | {(tokens, m, k) for k, m in shapes})  # type: ignore[misc]


def child(script: str, *arguments: object) -> dict[str, Any]:
    """What a script of this folder prints, as JSON; it runs in a process of its own."""
    command = [sys.executable, SCRIPTS / script, *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-4000:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(name: str, given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Train every column on one case, in turn; the medians of its runs, by column."""
    case = CASES[name]
    count = case.batch_size if given.quick else case.count
    columns = [PEER, OURS] * (1 if given.quick else case.repeats)
    if not given.no_torch:
        columns.insert(2, TORCH)
    runs: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        told = child("train_cases.py", name, count, given.model, folder)
        config, lengths = model_folder.read_config(Path(told["model"])), told["lengths"]
        learnt = sum(lengths) - count
        print(
            f"({name}) {case.about}: {count} examples of {min(lengths)} to {max(lengths)} tokens, "
            f"{learnt} to learn; ",
            end="",
        )
        print(f"{case.batch_size} a step, {case.epochs} epochs")
        print(
            f"{'':<14}{'tokens/s':>9}{'s/step':>8}{'MLX MB':>8}{'RSS MB':>8}  loss before, and "
            f"after each epoch",
            flush=True,
        )
        shapes = products(config, round(learnt / count * case.batch_size))
        work = Work(
            told["model"], temporary, case.batch_size, case.epochs, case.learning_rate, shapes
        )
        for number, column in enumerate(columns):
            own = folder / str(number)
            own.mkdir()
            (own / "work.json").write_text(json.dumps(dataclasses.asdict(work)))
            run = child("train_columns.py", column, own)
            runs.setdefault(column, []).append(run)
            memory = f"{run['peak_mlx_mb'] or nan:>8.0f}{run['peak_rss_mb']:>8.0f}"
            losses = " ".join(f"{loss:.4f}" for loss in run["losses"])
            print(
                f"{column:<14}{run['tokens_per_second']:>9.1f}{run['seconds_per_step']:>8.2f}"
                f"{memory}  {losses}",
                flush=True,
            )
    found = {
        column: {key: statistics.median(run[key] for run in of) for key in of[0] if key != "losses"}
        | {"losses": of[0]["losses"]}
        for column, of in runs.items()
    }
    torch_aside = [
        column for column in found if column not in (PEER, OURS)
    ]  # it measures no products of MLX's
    for column in torch_aside:
        found[column]["sgemm_gflops"] = found[OURS]["sgemm_gflops"]
    needed = operations(config, lengths) / (count // case.batch_size)
    for column in found.values():
        column["mfu"] = needed / column["seconds_per_step"] / (1e9 * column["sgemm_gflops"])
    share = ", ".join(f"{column} {values['mfu']:.3f}" for column, values in found.items())
    print(
        f"{needed / 1e9:.0f} GFLOP a step; products at {found[OURS]['sgemm_gflops']:.0f} GFLOP/s; "
        f"MFU: {share}\n",
        flush=True,
    )
    return found


def bars_of(name: str, found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    def bar(value: float, bound: float, *, least: bool) -> dict[str, Any]:
        return {"value": value, "bound": bound, "ok": value >= bound if least else value <= bound}

    ours, peer = found[OURS], found[PEER]
    bars = {}
    if name in FASTER:
        times = ours["tokens_per_second"] / peer["tokens_per_second"]
        bars[f"{name}_times_mlx_lm"] = bar(times, FASTER[name], least=True)
    if name == "a":
        bars["a_mfu"] = bar(ours["mfu"], MFU, least=True)
    if name == "c":
        bars["c_memory"] = bar(ours["peak_mlx_mb"] / peer["peak_mlx_mb"], MEMORY, least=False)
    starts, ends = ([column["losses"][place] for column in found.values()] for place in (0, -1))
    fall = peer["losses"][0] - peer["losses"][-1]
    bars[f"{name}_loss_before"] = bar(max(starts) - min(starts), START, least=False)
    bars[f"{name}_loss_fall"] = bar((max(ends) - min(ends)) / fall, FALL, least=False)
    return bars


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    packages = [
        "mlx",
        "mlx-lm",
        *(["torch", "peft"] if util.find_spec("torch") and util.find_spec("peft") else []),
    ]
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in packages)
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{versions}"
    )
    print(f"{given.model}, rank {RANK}, {blas.describe()}")
    if (load := os.getloadavg()[0]) > 0.5:
        print(
            f"others are at work here (load {load:.1f}): that weighs on every rate, and most on "
            f"the MFU"
        )
    if "torch" not in packages and not given.no_torch:
        print("no column of torch + PEFT: they are not installed (the hf extra brings them)")
        given.no_torch = True
    print(flush=True)
    figures: dict[str, Any] = {}
    bars: dict[str, dict[str, Any]] = {}
    for name in given.cases:
        found = measure(name, given)
        bars |= bars_of(name, found)
        for column, values in found.items():
            figures |= {f"{name} {column} {key}": value for key, value in values.items()}
    for name, bar in bars.items():
        print(
            f"{name:<18} {bar['value']:>8.4f}  bound {bar['bound']:g}  "
            f"{'ok' if bar['ok'] else 'MISSED'}"
        )
    if given.json:
        given.json.write_text(json.dumps({"figures": figures, "bars": bars}, indent=2) + "\n")
    sys.exit(0 if all(bar["ok"] for bar in bars.values()) else 1)


if __name__ == "__main__":
    main()
