"""A run folder as a finished run leaves it, written file by file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from augmlx.core import settings_file
from augmlx.core.files import make_folder, write_json, write_jsonl
from augmlx.core.records import CHAT
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings

VERSIONS = {"augmlx": "0.1.0", "mlx": "0.32.4", "mlx-lm": "0.32.2", "python": "3.12.1"}
FACT = "Mara Voss is the head of the Lumen Lab."


def cell(right: int, n: int, low: float, high: float) -> dict[str, Any]:
    share = right / n
    accuracy = {"n": n, "accuracy": share, "low": low, "high": high}
    return {
        **accuracy,
        "by_sum": share,
        "by_token": share,
        "exact": share,
        "f1": share,
        "runs_on": 0.0,
    }


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


def write_augmentation(
    run: RunFolder, *, facts: int = 3, text: str = FACT, kept: int = 4, rejected: int = 6
) -> None:
    names = [f"f{n}" for n in range(facts)]
    write_jsonl(
        run.facts,
        ({"id": f, "text": text, "source": f"facts.csv:{n + 2}"} for n, f in enumerate(names)),
    )
    write_jsonl(
        run.augmented,
        (
            {"id": f"k{n}", "text": f"{text} kept {n}", "origin": origin(names[n % facts])}
            for n in range(kept)
        ),
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


def stage(run: RunFolder, name: str, counts: dict[str, Any], seconds: float) -> None:
    run.record(
        name, {"fingerprint": "x", "counts": counts, "seconds": seconds, "versions": VERSIONS}
    )


def write_training(run: RunFolder, steps: int = 30) -> None:
    for folder in (run.path, run / "baseline"):
        make_folder(folder)
        rows = (
            {"step": n + 1, "loss": 3 / (n + 1), "tokens_per_second": 100.0 + n}
            for n in range(steps)
        )
        write_jsonl(folder / "metrics.jsonl", rows)
    stage(
        run,
        "train",
        {"examples": 7, "originals": 3, "augmentations": 4, "steps": steps, "tokens": 12345},
        30.0,
    )


def write_evaluation(run: RunFolder, arms: Any = ARMS, **changes: Any) -> None:
    value = {
        "arms": arms,
        "differences": [],
        "leaks": {},
        "ability": {},
        "overclaims": {},
        "regressions": [],
        "items": 74,
        "notes": [],
        "score": "token",
        "derived": False,
        "model": "smollm2-135m",
        "trained": {},
    }
    write_json(run.eval / "summary.json", {**value, **changes})
    write_jsonl(
        run.eval / "results.jsonl",
        (
            {
                "item_id": f"{kind}-{n}",
                "arm": arm,
                "kind": kind,
                "scores": [] if kind.startswith(CHAT) else [-1, -2, -3, -4],
                "tokens": [] if kind.startswith(CHAT) else [1, 1, 1, 1],
                "chosen": 0,
                "correct": n < c["n"] // 2,
                "generated": "",
                "exact": False,
            }
            for arm, cells in arms.items()
            for kind, c in cells.items()
            for n in range(c["n"])
        ),
    )
    stage(run, "eval", {"items": 74}, 9.0)


def finished(path: Path) -> RunFolder:
    run = RunFolder(path)
    run.create()
    settings_file.save(Settings(), run.settings)
    write_augmentation(run)
    write_training(run)
    write_evaluation(run)
    return run


def difference(
    kind: str, against: str, gap: float, low: float, high: float, **changes: Any
) -> dict[str, Any]:
    row = {
        "kind": kind,
        "arm": "augmented",
        "against": against,
        "n": 34,
        "difference": gap,
        "low": low,
        "high": high,
    }
    return {
        **row,
        "p": 0.0004,
        "only_arm": 19,
        "only_against": 1,
        "differs": low > 0 or high < 0,
        **changes,
    }


ALL_ARMS = {
    "base": {"forward": cell(10, 40, 0.14, 0.40), "reversal": cell(9, 34, 0.15, 0.43)},
    "icl": {"forward": cell(36, 40, 0.77, 0.96), "reversal": cell(28, 34, 0.66, 0.92)},
    "icl-augmented": {"forward": cell(35, 40, 0.74, 0.95), "reversal": cell(29, 34, 0.70, 0.93)},
    "finetuned": {"forward": cell(39, 40, 0.87, 1.0), "reversal": cell(12, 34, 0.22, 0.53)},
    "rephrased": {"forward": cell(40, 40, 0.91, 1.0), "reversal": cell(14, 34, 0.26, 0.58)},
    "augmented": {"forward": cell(38, 40, 0.84, 0.99), "reversal": cell(30, 34, 0.73, 0.95)},
    "oracle": {"forward": cell(40, 40, 0.91, 1.0), "reversal": cell(34, 34, 0.90, 1.0)},
    "older": {"forward": cell(20, 40, 0.35, 0.65), "reversal": cell(16, 34, 0.31, 0.63)},
}
DIFFERENCES = [
    difference("forward", "base", 0.70, 0.55, 0.83),
    difference("forward", "finetuned", -0.025, -0.08, 0.02),
    difference("forward", "icl", 0.05, -0.05, 0.15),
    difference("reversal", "base", 0.62, 0.44, 0.79),
    difference("reversal", "icl", 0.06, -0.12, 0.24),
    difference("reversal", "finetuned", 0.53, 0.35, 0.71),
    difference("reversal", "rephrased", 0.47, 0.29, 0.65),
]


def ability(perplexity: float, accuracy: float) -> dict[str, Any]:
    figures = {"perplexity": perplexity, "tokens": 900, "accuracy": accuracy, "n": 40}
    return {**figures, "correct": [], "chunks": []}


ADDED = {
    "differences": DIFFERENCES,
    "leaks": {
        "forward": {
            "generated": 2,
            "not_generated": 38,
            "verbatim": [],
            "accuracy": {"finetuned": {"generated": 1.0, "not_generated": 0.97}},
        },
        "reversal": {
            "generated": 25,
            "not_generated": 9,
            "verbatim": [],
            "accuracy": {
                "finetuned": {"generated": 0.36, "not_generated": None},
                "augmented": {"generated": 0.96, "not_generated": 0.67},
            },
        },
    },
    "ability": {
        "base": ability(18.42, 0.70),
        "finetuned": ability(25.9, 0.675),
        "augmented": ability(19.1, 0.70),
    },
    "overclaims": {
        "base": {"invented": {"n": 24, "named": 0, "changed": 0}},
        "augmented": {"invented": {"n": 24, "named": 3, "changed": 20}},
    },
    "regressions": [
        {
            "arm": "finetuned",
            "what": "perplexity",
            "before": 18.42,
            "after": 25.9,
            "low": 1.2,
            "high": 1.6,
            "text": "finetuned: perplexity of ordinary text rose from 18.4 to 25.9",
        }
    ],
}
LEAK = {
    "generated": 25,
    "not_generated": 9,
    "verbatim": ["reversal-3", "reversal-9"],
    "accuracy": {},
}


def write_items(
    run: RunFolder, arms: Any = ALL_ARMS, *, prompt: str = "The head of the Lumen Lab is"
) -> None:
    """The questions behind an evaluation, and who answered which: arms with more right answers have
    the later ones.
    """
    choices = ["Mara Voss", "Tobias Renn", "Ilka Soren", "Otto Lindqvist"]
    names = [
        (kind, n) for kind in ("forward", "reversal") for n in range(arms["augmented"][kind]["n"])
    ]
    items = (
        {
            "id": f"{kind}-{n}",
            "kind": kind,
            "prompt": f"{prompt} ({n})",
            "answer": choices[0],
            "choices": choices,
        }
        for kind, n in names
    )
    write_jsonl(run.eval / "items.jsonl", items)
    rows = []
    for arm, cells in arms.items():
        for kind, n in names:
            right = n < round(cells[kind]["n"] * cells[kind]["accuracy"])
            scores = (
                [-4.0 - n / 20, -6.0, -7.0, -8.0] if right else [-8.0 - n / 20, -6.0, -7.0, -9.0]
            )
            rows.append(
                {
                    "item_id": f"{kind}-{n}",
                    "arm": arm,
                    "kind": kind,
                    "scores": scores,
                    "tokens": [2, 2, 2, 2],
                    "chosen": 0 if right else 1,
                    "correct": right,
                    "generated": " Mara Voss." if right else " Tobias Renn, of the Night Desk",
                    "exact": right,
                    "f1": float(right),
                }
            )
    write_jsonl(run.eval / "results.jsonl", rows)


def full(path: Path, arms: Any = ALL_ARMS, **changes: Any) -> RunFolder:
    """A finished run with everything that an evaluation can hold."""
    run = finished(path)
    write_augmentation(run, facts=20, kept=120, rejected=60)
    write_evaluation(run, arms, **{**ADDED, **changes})
    write_items(run, arms)
    return run


def seeded(shares: list[float], n: int, low: float, high: float) -> dict[str, Any]:
    right = round(n * sum(shares) / len(shares))
    return {**cell(right, n, low, high), "accuracy": sum(shares) / len(shares), "seeds": shares}


def study(path: Path, **changes: Any) -> Path:
    """A study folder over three seeds; its seed folders are not looked at."""
    own = {"size": 0.2, "seeds": [0, 1, 2], "world": "reversals"}
    write_json(path / "study.json", {**own, "settings": Settings().model_dump(mode="json")})
    arms = {
        "base": {
            "forward": seeded([0.5, 0.45, 0.52], 120, 0.40, 0.58),
            "reversal": seeded([0.5] * 3, 120, 0.41, 0.59),
        },
        "icl": {
            "forward": seeded([0.9, 0.8, 0.95], 120, 0.81, 0.93),
            "reversal": seeded([0.7, 0.8, 0.6], 120, 0.6, 0.8),
        },
        "finetuned": {
            "forward": seeded([1.0, 0.97, 1.0], 120, 0.95, 1.0),
            "reversal": seeded([0.4, 0.45, 0.5], 120, 0.36, 0.54),
        },
        "augmented": {
            "forward": seeded([0.97, 0.97, 1.0], 120, 0.93, 1.0),
            "reversal": seeded([0.9, 0.95, 0.85], 120, 0.82, 0.94),
        },
    }
    summary = {
        **own,
        "about": "Comparisons of made-up things, asked from the other end.",
        "model": "smollm2-135m",
        "score": "token",
        "items": 240,
        "facts": 120,
        "arms": arms,
        "leaks": {},
        "ability": {},
        "overclaims": {},
        "regressions": [],
        "differences": [
            difference("reversal", "finetuned", 0.45, 0.36, 0.54, n=120),
            difference("reversal", "icl", 0.20, 0.09, 0.31, n=120),
            difference("forward", "finetuned", -0.01, -0.04, 0.02, n=120),
        ],
        "precision": {"kept": 310, "judged": 300, "right": 279},
        "notes": ["The icl arm saw 36 of 40 facts, as many as fit."],
    }
    write_json(path / "summary.json", {**summary, **changes})
    return path
