"""A whole run as it was made when the house was rebuilt, kept to hold later versions to it.

`python -m tests.golden` from the root of the checkout makes it anew, for a change that is meant to
change a run.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from augmlx.core.progress import Progress
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.core.settings_file import load
from augmlx.data.facts import read_facts
from augmlx.engines.protocol import Request
from augmlx.engines.scripted import ScriptedEngine
from augmlx.run.pipeline import Pipeline

FOLDER = Path(__file__).parent
MODEL, FACTS, ORACLE, ANCHORS, RUN = (
    FOLDER / name for name in ("tiny-llama", "facts.csv", "oracle.csv", "anchors.txt", "run")
)
CHANGES: Mapping[str, object] = {
    "augment.operators": [
        *(
            "reversal",
            "rephrase",
            "qa-forward",
            "qa-reverse",
            "contraposition",
            "conversion",
            "syllogism",
            "chain",
        ),
        *(
            "inheritance",
            "bridge",
            "union",
            "intersection",
            "membership",
            "entity-reversal",
            "identity-bridge",
        ),
        "global",
    ],
    "augment.samples": 4,
    "split.test": 0.25,
    "split.valid": 0.125,
    "train.anchor": 0.5,
    "train.unknown": 0.25,
    "train.epochs": 2,
    "train.rank": 2,
    "train.best": "loss",
    "eval.arms": ["base", "icl", "icl-augmented", "finetuned", "rephrased", "augmented", "oracle"],
}


# What the writer says on its first three samples, by operator and fact; behind the opening where
# the prompt has one.
RIGHT: Mapping[str, Mapping[str, str]] = {
    "rephrase": {
        "mill": " is the owner of the Bor mill.",
        "shop": " is the founder of the Elm shop.",
        "gate": " is the painter of the Hill gate.",
        "norra": " is larger than Lake Zig.",
        "fleet": " is the manager of the Kite fleet.",
        "desk": " serves as the head of the Quay desk.",
    },
    "qa-forward": {
        "mill": " What does Ada Brandt own?",
        "shop": " What did Cy Dahl found?",
        "desk": " Who is Ola Pine?",
        "pell": " What is Lake Pell larger than?",
    },
    "qa-reverse": {
        "mill": " Who owns the Bor mill?",
        "gate": " Who painted the Hill gate?",
        "replay": " What is the capital of Ostrel?",
    },
    "contraposition": {"wugs": " a wug.", "glons": " a glon."},
    "conversion": {"wugs": " wugs.", "tibs": " tibs."},
    "syllogism": {"wugs+tibs": " tibs."},
    "chain": {"pell+norra": " Lake Zig."},
    "inheritance": {"wugs+rex": " a glon."},
    "bridge": {
        "shop+elm": " founded the Elm shop, which is in Dunmore.",
        "elm+replay": " is in the capital of Ostrel, Dunmore.",
    },
    "membership": {"club": " the Quay desk."},
    "global": {"mill": " The Bor mill is owned by Ada Brandt, who was born in Dunmore."},
}


def write(request: Request) -> str:
    """What a writer might say, right and wrong: it depends on the request's seed and suffix
    alone.
    """
    lines = request.suffix.strip().splitlines()
    stated = next(
        (line.partition(": ")[2] for line in reversed(lines) if line.startswith("Fact")), lines[0]
    )
    told = stated.rstrip(".").split()
    if len(parts := request.seed.split(":")) != 4:  # a question of the evaluation
        return f" {told[-1]}."
    _, fact, operator, sample = parts
    if int(sample) in (0, 1, 2) and (right := RIGHT.get(operator, {}).get(fact)):
        return right
    says = (
        f" {' '.join(told[:2])}.",
        f" {' '.join(told[-3:])}.",
        f" {told[-1]}.",
        f" In truth, {stated}",
        f" {' '.join(told[:2])} is the one who {' '.join(told[2:])}.",
        f" Who {' '.join(told[2:])}?",
    )
    return says[(int(sample) + len(request.opening)) % len(says)]


def settings(folder: Path) -> Settings:
    """The settings of the run, for a model that lies in `folder`."""
    return load(None, {"model": str(folder / MODEL.name), "train.anchors": ANCHORS.name, **CHANGES})


def pipeline(folder: Path, progress: Progress) -> Pipeline:
    """A pipeline over `folder`/run, with a scripted writer in the model's place for all but
    training.
    """
    run = RunFolder(folder / RUN.name)
    run.create()
    made = Pipeline(
        run,
        settings(folder),
        progress,
        operators_folder=folder,
        make_engine=lambda _: ScriptedEngine(write),
    )
    made.take_facts(read_facts(folder / FACTS.name).facts)
    made.take_oracle(folder / ORACLE.name)
    return made


def go(made: Pipeline) -> None:
    """Every stage that leaves something."""
    made.augment()
    made.train()
    made.evaluate()
    made.export(hf_base="someone/tiny")


def copy_inputs(folder: Path) -> None:
    """What the run starts from, into `folder`."""
    shutil.copytree(MODEL, folder / MODEL.name)
    for path in (FACTS, ORACLE, ANCHORS):
        shutil.copy(path, folder)
