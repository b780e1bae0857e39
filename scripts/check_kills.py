"""kill -9 at random moments of `augmlx augment` and `augmlx train`, restarted each time: is the
result the same?

    .venv/bin/python scripts/check_kills.py --json kills.json
    .venv/bin/python scripts/check_kills.py --kills 3 --train-kills 3 --facts 12     # quicker
    .venv/bin/python scripts/check_kills.py --kills 0 --train-kills 20   # the training alone

Runs the commands once undisturbed and once with kills, on the same facts, and compares
augmented.jsonl, rejected.jsonl, the training data and the adapter byte for byte, and the losses
value for value. Each kill of the augmentation comes a random while after the journal has grown past
the last one, the last few while nothing is left but to judge and write. A journalled request must
keep its row: what is generated a second time would get a new one. The weights that are kept are the
mean of the last steps', as by default, or those of the best validation (--keep best).
"""

from __future__ import annotations

import argparse
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import benchmark
import jsonlines

from augmlx.core.run_folder import RunFolder
from augmlx.data.starter import example
from augmlx.models.formats.adapter_folder import CONFIG, WEIGHTS

AUGMLX = [sys.executable, "-m", "augmlx"]
SETTINGS = [
    "train.checkpoint_every=3",
    "augment.batch_size=4",  # so that there are more batches to be killed in than kills
    # All that a resumed training has to remember.
    "train.dropout=0.1",
    "train.accumulate=2",
    "train.batch_size=4",
    "split.valid=0.2",
]
KEPT = {  # of the weights: the mean of the last steps', or the best's
    "mean": ['train.best="off"', "train.average=0.5"],
    "best": ['train.best="loss"'],
}
# What does not depend on the clock.
LOSSES = ("step", "epoch", "loss", "valid_loss", "gradient_norm", "learning_rate")
ATTEMPTS = 5  # at a kill
Command = list[str]
Journalled = dict[str, int]  # the key of each completion -> its row


def finish(command: Command) -> None:
    """Let it come to its end."""
    subprocess.run(command, check=True, capture_output=True)


def journalled(run: RunFolder) -> Journalled:
    """The completions in the journal."""
    try:
        with sqlite3.connect(f"file:{run.journal}?mode=ro", uri=True) as db:
            return dict(db.execute("SELECT key, rowid FROM completions"))
    except sqlite3.OperationalError:  # not made yet
        return {}


def trained_steps(run: RunFolder) -> int:
    """How many steps are in the metrics."""
    try:
        return run.metrics.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def kill(process: subprocess.Popen[bytes]) -> bool:
    """Whether it was still there to be killed."""
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return alive


def kill_shares(kills: int, late_share: float, rng: random.Random) -> Iterator[float]:
    """When each kill comes, as a share of the work: one behind the other, the last few at
    `late_share`.
    """
    late = max(1, kills // 6)
    early = kills - late
    for number in range(early):
        yield (number + rng.random()) / (early + 1)
    for _ in range(min(late, kills)):
        yield late_share


def kill_once(
    command: Command,
    has_come: Callable[[], bool],
    longest_wait: float,
    rng: random.Random,
    undo: Callable[[], None] = lambda: None,
) -> bool:
    """Start a command, and kill it a random while after it has come to a place; returns whether the
    kill hit. One that ends before it is killed does not count: it is started again, a few times.

    Args:
        longest_wait: seconds.
        undo: takes back the end of a command that was not hit.
    """
    for _ in range(ATTEMPTS):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not has_come():
            time.sleep(0.02)
        time.sleep(rng.uniform(0, longest_wait))
        if kill(process):
            return True
        undo()
    return False


def augment_with_kills(
    command: Command, run: RunFolder, kills: int, total: int, rng: random.Random
) -> tuple[int, int]:
    """(kills that hit, journalled requests that were generated again), of `total` requests."""
    hits = 0
    again = 0
    before: Journalled = {}
    for share in kill_shares(kills, 1.0, rng):

        def has_come(share: float = share) -> bool:
            return len(journalled(run)) >= share * total

        is_late = share == 1.0
        hits += kill_once(command, has_come, 0.6 if is_late else 2.0, rng)
        after = journalled(run)
        again += moved_rows(before, after)
        before = after
    finish(command)
    return hits, again + moved_rows(before, journalled(run))


def moved_rows(before: Journalled, after: Journalled) -> int:
    """How many completions were generated again: they lost their row."""
    moved = 0
    for key, row in before.items():
        moved += after.get(key) != row
    return moved


def train_with_kills(
    command: Command, run: RunFolder, kills: int, steps: int, rng: random.Random
) -> int:
    """Kill the command `kills` times, a random while after it has come past the last one, the last
    few in its last steps or while the adapter is written; then let it end. Returns how many hit.
    """
    weights = run.adapter / WEIGHTS
    hits = 0
    for share in kill_shares(kills, 1 - 2 / steps, rng):

        def has_come(share: float = share) -> bool:
            return trained_steps(run) >= share * steps

        hits += kill_once(command, has_come, 1.5, rng, undo=weights.unlink)
    finish(command)
    return hits


def losses(run: RunFolder) -> list[tuple[float | None, ...]]:
    """What the metrics say that does not depend on the clock."""
    kept = []
    with jsonlines.open(run.metrics) as rows:
        for row in rows:
            values = tuple(row.get(name) for name in LOSSES)
            kept.append(values)
    return kept


@dataclass(frozen=True, slots=True)
class Found:
    """What came of the run with kills beside the one without."""

    augment_hits: int
    train_hits: int
    completions: int  # journalled
    requests: int
    again: int  # journalled, and generated once more
    compared: list[str]  # files
    different: list[str]
    equal_losses: bool


def augment_command(facts: Path, run: RunFolder, given: argparse.Namespace) -> Command:
    """With the settings that both runs have."""
    command = [*AUGMLX, "augment", str(facts), "-o", str(run.path)]
    for setting in (f"train.epochs={given.epochs}", *SETTINGS, *KEPT[given.keep]):
        command += ["--set", setting]
    return command


def compare(folder: Path, given: argparse.Namespace) -> Found:
    """Run once undisturbed and once with kills."""
    rng = random.Random(given.seed)
    lines = example("facts.csv").splitlines(keepends=True)
    facts = folder / "facts.csv"
    facts.write_text("".join(lines[: given.facts + 1]))
    whole, killed = RunFolder(folder / "whole"), RunFolder(folder / "killed")
    names = [whole.augmented.name, "augmented.csv", whole.rejected.name]
    names += [f"data/{part}.jsonl" for part in ("train", "valid", "test")]

    finish(augment_command(facts, whole, given))
    requests = len(journalled(whole))
    command = augment_command(facts, killed, given)
    augment_hits, again = augment_with_kills(command, killed, given.kills, requests, rng)
    train_hits = 0
    equal_losses = True
    if given.train_kills:
        finish([*AUGMLX, "train", str(whole.path)])
        steps = trained_steps(whole)
        command = [*AUGMLX, "train", str(killed.path)]
        train_hits = train_with_kills(command, killed, given.train_kills, steps, rng)
        names += [f"adapter/{name}" for name in (WEIGHTS, CONFIG)]
        equal_losses = losses(whole) == losses(killed)
    return Found(
        augment_hits=augment_hits,
        train_hits=train_hits,
        completions=len(journalled(killed)),
        requests=requests,
        again=again,
        compared=names,
        different=[name for name in names if not same_bytes(whole / name, killed / name)],
        equal_losses=equal_losses,
    )


def same_bytes(one: Path, other: Path) -> bool:
    """Whether two files hold the same."""
    return one.read_bytes() == other.read_bytes()


def options() -> argparse.ArgumentParser:
    parser = benchmark.options(__doc__)
    parser.add_argument("--kills", type=int, default=20, help="kills of the augmentation; 0: none")
    parser.add_argument(
        "--train-kills", type=int, default=2, help="kills of the training; 0: do not train"
    )
    parser.add_argument("--facts", type=int, default=24, help="how many of the shipped facts")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--keep", choices=KEPT, default="mean", help="which weights; see KEPT")
    parser.add_argument("--seed", type=int, default=0, help="of the kill moments")
    return parser


def main() -> None:
    given = options().parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = compare(Path(name), given)
    print(benchmark.machine("mlx", "mlx-lm"))
    print(
        f"kills that hit: augment {found.augment_hits} of {given.kills}, train "
        f"{found.train_hits} of {given.train_kills}"
    )
    different = ", ".join(found.different) or "none"
    print(f"files compared: {len(found.compared)}, different: {different}")
    print(
        f"completions journalled: {found.completions} of {found.requests}; journalled and "
        f"generated again: {found.again}"
    )
    if given.train_kills:
        print(f"losses equal, none twice, none missing: {found.equal_losses}")
    kept_rows = found.again == 0 and found.completions == found.requests
    bars = {
        "files_different": benchmark.exactly(len(found.different), 0),
        "generated_again": benchmark.Bar(found.again, 0, kept_rows),
        "kills_augment": benchmark.exactly(found.augment_hits, given.kills),
        "kills_train": benchmark.exactly(found.train_hits, given.train_kills),
        "losses_equal": benchmark.exactly(int(found.equal_losses), 1),
    }
    figures = {
        "kills_augment": found.augment_hits,
        "kills_train": found.train_hits,
        "completions": found.completions,
    }
    print()
    benchmark.finish(figures, bars, given.json)


if __name__ == "__main__":
    main()
