"""kill -9 at random moments of `augmlx augment` and `augmlx train`, restarted each time: is the result the same?

    .venv/bin/python scripts/check_kills.py --kills 3 --facts 12 --json kills.json

Runs the commands once undisturbed and once with kills, on the same facts, and compares augmented.jsonl,
rejected.jsonl, the training data and the adapter byte for byte, and the losses value for value.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from augmlx.project import example

AUGMLX = [sys.executable, "-m", "augmlx"]


def finish(command: list[str]) -> float:
    started = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - started


def finish_with_kills(command: list[str], kills: int, seconds: float, rng: random.Random) -> int:
    """Kill the command `kills` times at moments drawn over its length, then let it end; returns how many hit."""
    hit = 0
    for _ in range(kills):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.uniform(0.3, 1.0) * max(2.5, seconds / kills))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            hit += 1
    finish(command)
    return hit


def losses(path: Path) -> list[tuple[int, float]]:
    return [(row["step"], row["loss"]) for row in map(json.loads, path.read_text().splitlines())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=3, help="kills of each command")
    parser.add_argument("--facts", type=int, default=12, help="how many of the shipped facts")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0, help="of the kill moments")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        facts = folder / "facts.csv"
        facts.write_text("".join(example("facts.csv").splitlines(keepends=True)[: given.facts + 1]))
        options = ["--set", f"train.epochs={given.epochs}", "--set", "train.checkpoint_every=3"]
        options += ["--set", "augment.batch_size=16"]
        whole, killed = folder / "whole", folder / "killed"
        commands = {
            run: [
                [*AUGMLX, "augment", str(facts), "-o", str(run), *options],
                [*AUGMLX, "train", str(run)],
            ]
            for run in (whole, killed)
        }
        seconds = [finish(command) for command in commands[whole]]
        hits = [
            finish_with_kills(command, given.kills, took, rng)
            for command, took in zip(commands[killed], seconds, strict=True)
        ]
        names = ["augmented.jsonl", "rejected.jsonl", "data/train.jsonl", "adapter/adapters.safetensors"]
        names += ["adapter/adapter_config.json"]
        different = [name for name in names if (whole / name).read_bytes() != (killed / name).read_bytes()]
        equal_losses = losses(whole / "metrics.jsonl") == losses(killed / "metrics.jsonl")
        with sqlite3.connect(killed / "journal.sqlite") as db:
            journalled = db.execute("SELECT count(*), count(DISTINCT key) FROM completions").fetchone()
    print(f"{platform.platform()}, Python {platform.python_version()}")
    print(f"kills that hit: augment {hits[0]}, train {hits[1]}")
    print(f"files compared: {len(names)}, different: {', '.join(different) or 'none'}")
    print(f"losses equal, none twice, none missing: {equal_losses}; completions journalled: {journalled[0]}")
    bars = {
        "files_different": {"value": len(different), "bound": 0, "ok": not different},
        "losses_equal": {"value": int(equal_losses), "bound": 1, "ok": equal_losses},
    }
    if given.json:
        figures = {"kills_augment": hits[0], "kills_train": hits[1], "completions": journalled[0]}
        given.json.write_text(json.dumps({"figures": figures, "bars": bars}, indent=2) + "\n")
    sys.exit(0 if all(bar["ok"] for bar in bars.values()) else 1)


if __name__ == "__main__":
    main()
