"""What is learnt against what is forgotten, by the weight of the anchors.

    .venv/bin/python scripts/study_frontier.py runs/demo -o runs/frontier --json frontier.json
    .venv/bin/python scripts/study_frontier.py runs/demo -o runs/frontier --weights 0,2

The run's examples are trained on anew with each weight (train.anchor) and its own questions asked
of each adapter, in a run folder of its own under OUT; run again, it goes on. Printed for each: the
shares of its questions that are answered, the perplexity of ordinary text as a multiple of the
base model's, how many more everyday questions are right than of the base model's, and the share of
invented things that are claimed of. With a weight of 0 all layers are trained, at the lower rate of
a training without anchors.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import benchmark

from augmlx.core.arms import AUGMENTED, BASE
from augmlx.core.run_folder import STAGES, RunFolder
from augmlx.evaluation import summary

AUGMLX = [sys.executable, "-m", "augmlx"]
WEIGHTS = "0,0.5,1,2,4,8"
SHOWN = ("forward", "reversal", "chat-forward", "chat-reverse")
MORE = ("perplexity", "everyday", "invented")
_ARMS = ("--arm", BASE.name, "--arm", AUGMENTED.name)
_TRAINED = ("adapter", "checkpoints", "eval", "export", "rounds", "baseline", "rephrased", "oracle")


def copy_of(run: RunFolder, to: Path) -> None:
    """What the run holds before it is trained."""
    if to.exists():
        return
    half = to.with_name(f"{to.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(run.path, half, ignore=shutil.ignore_patterns(*_TRAINED, "report.html"))
    RunFolder(half).forget(STAGES[STAGES.index("train") :])
    half.rename(to)


def figures_of(folder: Path) -> dict[str, float]:
    """Of a run whose summary is written."""
    read = summary.read(RunFolder(folder))
    base, tuned = (read.ability[arm.name] for arm in (BASE, AUGMENTED))
    claims = read.overclaims[AUGMENTED.name]["invented"]
    return {
        **{kind: read.arms[AUGMENTED.name][kind].accuracy for kind in SHOWN},
        "perplexity": tuned.perplexity / base.perplexity,
        "everyday": tuned.accuracy - base.accuracy,
        "invented": claims.named / claims.n,
    }


def go(command: Sequence[str]) -> None:
    """A command of augmlx; its progress is shown."""
    subprocess.run([*AUGMLX, *command], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    parser = benchmark.options(__doc__)
    parser.add_argument("run", type=Path, help="an augmented run, with questions")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--weights", default=WEIGHTS, help=f"default: {WEIGHTS}")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    by_weight: dict[str, dict[str, float]] = {}
    print("weight " + "".join(f"{name:>14}" for name in (*SHOWN, *MORE)))
    for weight in chosen.weights.split(","):
        folder = chosen.out / f"anchor-{weight}"
        copy_of(RunFolder(chosen.run), folder)
        go(["train", str(folder), "--set", f"train.anchor={weight}"])
        go(["eval", str(folder), *_ARMS])
        by_weight[weight] = figures_of(folder)
        columns = "".join(f"{value:14.3f}" for value in by_weight[weight].values())
        print(f"{weight:>6} {columns}", flush=True)
    benchmark.finish(by_weight, {}, chosen.json)


if __name__ == "__main__":
    main()
