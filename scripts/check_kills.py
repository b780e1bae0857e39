"""kill -9 at random moments of `augmlx augment` and `augmlx train`, restarted each time: is the
result the same?

    .venv/bin/python scripts/check_kills.py --json kills.json
    .venv/bin/python scripts/check_kills.py --kills 3 --train-kills 3 --facts 12     # quicker
    .venv/bin/python scripts/check_kills.py --kills 0 --train-kills 20   # the training alone

Runs the commands once undisturbed and once with kills, on the same facts, and compares
augmented.jsonl, rejected.jsonl, the training data and the adapter byte for byte, and the losses
value for value. Each kill of the augmentation comes a random while after the journal has grown past
the last one, the last few while nothing is left but to judge and write. A journalled request must
keep its row: what is generated a second time would get a new one.
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

from augmlx.data.starter import example

AUGMLX = [sys.executable, "-m", "augmlx"]
Journalled = dict[str, int]


def finish(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def journalled(run: Path) -> Journalled:
    """The key of each completion -> its row."""
    try:
        with sqlite3.connect(f"file:{run / 'journal.sqlite'}?mode=ro", uri=True) as db:
            return dict(db.execute("SELECT key, rowid FROM completions"))
    except sqlite3.OperationalError:  # not made yet
        return {}


def kill(process: subprocess.Popen[bytes]) -> bool:
    """Whether it was still there to be killed."""
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return alive


def augment_with_kills(
    command: list[str], run: Path, kills: int, total: int, rng: random.Random
) -> tuple[int, int]:
    """(kills that hit, journalled requests that were generated again)."""
    late = max(1, kills // 6)  # kills that come when all is generated
    hit, again = 0, 0
    before: Journalled = {}
    for number in range(kills):
        share = 1.0 if number >= kills - late else (number + rng.random()) / (kills - late + 1)
        for _ in range(5):  # one that ends before it is killed does not count
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            while process.poll() is None and len(journalled(run)) < share * total:
                time.sleep(0.02)
            time.sleep(rng.uniform(0, 0.6 if share == 1.0 else 2.0))
            if kill(process):
                hit += 1
                break
        after = journalled(run)
        again += sum(after.get(key) != row for key, row in before.items())
        before = after
    finish(command)
    after = journalled(run)
    return hit, again + sum(after.get(key) != row for key, row in before.items())


def train_with_kills(
    command: list[str], run: Path, kills: int, steps: int, rng: random.Random
) -> int:
    """Kill the command `kills` times, a random while after it has come past the last one, the last
    few in its last steps or while the adapter is written; then let it end. Returns how many hit.
    """
    late = max(1, kills // 6)
    hit = 0
    for number in range(kills):
        share = (
            1 - 2 / steps
            if number >= kills - late
            else (number + rng.random()) / (kills - late + 1)
        )
        for _ in range(5):  # one that ends before it is killed does not count
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            while process.poll() is None and trained(run) < share * steps:
                time.sleep(0.02)
            time.sleep(rng.uniform(0, 1.5))
            if kill(process):
                hit += 1
                break
            (run / "adapter" / "adapters.safetensors").unlink()  # it came to its end: once more
    finish(command)
    return hit


def trained(run: Path) -> int:
    """How many steps are in the metrics."""
    try:
        return (run / "metrics.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def losses(path: Path) -> list[tuple[float | None, ...]]:
    """What does not depend on the clock."""
    names = ("step", "epoch", "loss", "valid_loss", "gradient_norm", "learning_rate")
    return [
        tuple(row.get(name) for name in names)
        for row in map(json.loads, path.read_text().splitlines())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20, help="kills of the augmentation; 0: none")
    parser.add_argument(
        "--train-kills", type=int, default=2, help="kills of the training; 0: do not train"
    )
    parser.add_argument("--facts", type=int, default=24, help="how many of the shipped facts")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the kill moments")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        facts = folder / "facts.csv"
        facts.write_text("".join(example("facts.csv").splitlines(keepends=True)[: given.facts + 1]))
        options = ["--set", f"train.epochs={given.epochs}", "--set", "train.checkpoint_every=3"]
        options += [
            "--set",
            "augment.batch_size=4",
        ]  # so that there are more batches to be killed in than kills
        # All that a resumed training has to remember.
        kept = [
            "train.dropout=0.1",
            "train.accumulate=2",
            "train.batch_size=4",
            'train.best="loss"',
            "split.valid=0.2",
        ]
        options += [word for setting in kept for word in ("--set", setting)]
        whole, killed = folder / "whole", folder / "killed"
        augment = {
            run: [*AUGMLX, "augment", str(facts), "-o", str(run), *options]
            for run in (whole, killed)
        }
        train = {run: [*AUGMLX, "train", str(run)] for run in (whole, killed)}
        names = ["augmented.jsonl", "augmented.csv", "rejected.jsonl"]
        names += [f"data/{part}.jsonl" for part in ("train", "valid", "test")]
        finish(augment[whole])
        total = len(journalled(whole))
        hits = [0, 0]
        hits[0], again = augment_with_kills(augment[killed], killed, given.kills, total, rng)
        equal_losses = True
        if given.train_kills:
            finish(train[whole])
            hits[1] = train_with_kills(
                train[killed], killed, given.train_kills, trained(whole), rng
            )
            names += ["adapter/adapters.safetensors", "adapter/adapter_config.json"]
            equal_losses = losses(whole / "metrics.jsonl") == losses(killed / "metrics.jsonl")
        different = [
            name for name in names if (whole / name).read_bytes() != (killed / name).read_bytes()
        ]
        completions = len(journalled(killed))
    print(f"{platform.platform()}, Python {platform.python_version()}")
    print(
        f"kills that hit: augment {hits[0]} of {given.kills}, train {hits[1]} of "
        f"{given.train_kills}"
    )
    print(f"files compared: {len(names)}, different: {', '.join(different) or 'none'}")
    print(
        f"completions journalled: {completions} of {total}; journalled and generated again: {again}"
    )
    if given.train_kills:
        print(f"losses equal, none twice, none missing: {equal_losses}")
    bars = {
        "files_different": {"value": len(different), "bound": 0, "ok": not different},
        "generated_again": {"value": again, "bound": 0, "ok": not again and completions == total},
        "kills_augment": {"value": hits[0], "bound": given.kills, "ok": hits[0] == given.kills},
        "kills_train": {
            "value": hits[1],
            "bound": given.train_kills,
            "ok": hits[1] == given.train_kills,
        },
        "losses_equal": {"value": int(equal_losses), "bound": 1, "ok": equal_losses},
    }
    if given.json:
        figures = {"kills_augment": hits[0], "kills_train": hits[1], "completions": completions}
        given.json.write_text(json.dumps({"figures": figures, "bars": bars}, indent=2) + "\n")
    sys.exit(0 if all(bar["ok"] for bar in bars.values()) else 1)


if __name__ == "__main__":
    main()
