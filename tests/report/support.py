"""A run folder as a finished run leaves it, written file by file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from augmlx import settings
from augmlx.files import make_folder, write_json, write_jsonl
from augmlx.rundir import RunDir

VERSIONS = {"augmlx": "0.1.0", "mlx": "0.32.4", "mlx-lm": "0.32.2", "python": "3.12.1"}
FACT = "Mara Voss is the head of the Lumen Lab."


def cell(right: int, n: int, low: float, high: float) -> dict[str, Any]:
    return {"n": n, "accuracy": right / n, "low": low, "high": high, "exact": right / n}


ARMS = {
    "base": {"forward": cell(10, 40, 0.14, 0.40), "reversal": cell(9, 34, 0.15, 0.43)},
    "icl": {"forward": cell(36, 40, 0.77, 0.96), "reversal": cell(28, 34, 0.66, 0.92)},
    "finetuned": {"forward": cell(39, 40, 0.87, 1.0), "reversal": cell(12, 34, 0.22, 0.53)},
    "augmented": {"forward": cell(38, 40, 0.84, 0.99), "reversal": cell(30, 34, 0.73, 0.95)},
}


def origin(fact: str, operator: str = "reversal", sample: int = 0) -> dict[str, Any]:
    return {
        "fact_ids": [fact],
        "operator": operator,
        "engine": "mlx",
        "model": "smollm2-135m",
        "seed": 0,
        "sample": sample,
        "prompt_sha256": "0" * 64,
    }


def write_augmentation(run: RunDir, *, facts: int = 3, text: str = FACT, kept: int = 4, rejected: int = 6) -> None:
    names = [f"f{n}" for n in range(facts)]
    write_jsonl(run.facts, ({"id": f, "text": text, "source": f"facts.csv:{n + 2}"} for n, f in enumerate(names)))
    write_jsonl(
        run.augmented,
        ({"id": f"k{n}", "text": f"{text} kept {n}", "origin": origin(names[n % facts])} for n in range(kept)),
    )
    write_jsonl(
        run.rejected,
        (
            {
                "id": f"r{n}",
                "text": f"{text} dropped {n}",
                "by": "vote",
                "why": "outvoted",
                "origin": origin(names[n % facts]),
            }
            for n in range(rejected)
        ),
    )
    flow = {"kept": kept, "rejected": rejected, "failed": 2}
    counts = {"facts": facts, "produced": kept + rejected + 2, **flow, "by": {"vote": rejected}}
    stage(run, "augment", {**counts, "by_operator": {"reversal": flow}}, 61.0)


def stage(run: RunDir, name: str, counts: dict[str, Any], seconds: float) -> None:
    run.record(name, {"fingerprint": "x", "counts": counts, "seconds": seconds, "versions": VERSIONS})


def write_training(run: RunDir, steps: int = 30) -> None:
    for folder in (run.path, run.baseline):
        make_folder(folder)
        rows = ({"step": n + 1, "loss": 3 / (n + 1), "tokens_per_second": 100.0 + n} for n in range(steps))
        write_jsonl(folder / "metrics.jsonl", rows)
    stage(run, "train", {"examples": 7, "originals": 3, "augmentations": 4, "steps": steps, "tokens": 12345}, 30.0)


def write_evaluation(run: RunDir, arms: Any = ARMS, **changes: Any) -> None:
    value = {
        "arms": arms,
        "items": 74,
        "derived": False,
        "notes": [],
        "verbatim": {"forward": 40, "reversal": 7},
        "model": "smollm2-135m",
        "score": "token",
    }
    write_json(run.eval / "summary.json", {**value, **changes})
    write_jsonl(
        run.eval / "results.jsonl",
        (
            {"item_id": f"{kind}-{n}", "arm": arm, "kind": kind, "scores": [-1, -2, -3, -4], "correct": n < c["n"] // 2}
            for arm, cells in arms.items()
            for kind, c in cells.items()
            for n in range(c["n"])
        ),
    )
    stage(run, "eval", {"items": 74}, 9.0)


def finished(path: Path) -> RunDir:
    run = RunDir(path)
    run.create()
    settings.save(settings.Settings(), run.settings)
    write_augmentation(run)
    write_training(run)
    write_evaluation(run)
    return run
