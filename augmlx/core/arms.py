"""The arms: what an evaluation compares, in one table.

Settings, training, evaluation, report and commands read it. An arm is added by a row here; one that
is trained also says on what (run/control_arms.py) and has a number for its code (run/stages.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

# Written out, for type checkers and pydantic read it; a test holds it to the table.
ArmName = Literal["base", "icl", "icl-augmented", "finetuned", "rephrased", "augmented", "oracle"]
Shown = Literal["nothing", "facts", "facts and augmentations"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: a model that answers, and what it is shown.

    Args:
        name: as in `eval.arms` and in every file.
        stage: the stage that trains it; "" is the base model as it came.
        shown: what stands in its prompt before a question.
        against: the arms that it is compared with, in the order they are told in.
        about: what it is, as the report says it.
        by_default: whether it is asked where the user names no arms.
    """

    name: ArmName
    stage: str
    shown: Shown
    against: tuple[ArmName, ...]
    about: str
    by_default: bool = False

    @property
    def is_control(self) -> bool:
        """Whether it is trained for comparison, in a folder of its own."""
        return self.stage not in ("", "train")


BASE = Arm("base", "", "nothing", (), "the model as it came", by_default=True)
ICL = Arm("icl", "", "facts", (), "the model with the facts in its prompt", by_default=True)
ICL_AUGMENTED = Arm(
    "icl-augmented",
    "",
    "facts and augmentations",
    ("icl",),
    "with the facts and their augmentations in its prompt",
)
FINETUNED = Arm(
    "finetuned", "baseline", "nothing", ("base",), "trained on the facts alone", by_default=True
)
REPHRASED = Arm(
    "rephrased",
    "rephrased",
    "nothing",
    (),
    "control: trained on the facts and rephrasings, for about as many steps",
)
AUGMENTED = Arm(
    "augmented",
    "train",
    "nothing",
    ("finetuned", "icl", "base", "rephrased"),
    "trained on the facts and what follows from them",
    by_default=True,
)
ORACLE = Arm(
    "oracle",
    "oracle",
    "nothing",
    ("augmented",),
    "trained on the true consequences: what perfect augmentation would give",
)
# In the order that they are shown in.
ARMS: Mapping[str, Arm] = {
    arm.name: arm for arm in (BASE, ICL, ICL_AUGMENTED, FINETUNED, REPHRASED, AUGMENTED, ORACLE)
}
CONTROLS = tuple(arm for arm in ARMS.values() if arm.is_control)
BY_DEFAULT = tuple(arm.name for arm in ARMS.values() if arm.by_default)
# The claim is told first: what augmentation bought, then how far it is from perfect.
_TOLD_FIRST = (AUGMENTED, ORACLE, ICL_AUGMENTED, FINETUNED)
PAIRS = tuple(
    (arm.name, other)
    for arm in dict.fromkeys((*_TOLD_FIRST, *ARMS.values()))
    for other in arm.against
)


def shown_to(name: str) -> Shown:
    """What stands in an arm's prompt; of one that the user named, an adapter, nothing."""
    return ARMS[name].shown if name in ARMS else "nothing"


def pairs_among(names: Iterable[str]) -> list[tuple[str, str]]:
    """The (arm, against) worth telling of the arms that there are; one that the user named is held
    against the base, and the augmented one against it.
    """
    present = list(dict.fromkeys(names))
    pairs: list[tuple[str, str]] = list(PAIRS)
    for name in present:
        if name not in ARMS:
            pairs += [(name, BASE.name), (AUGMENTED.name, name)]
    return [pair for pair in pairs if set(pair) <= set(present)]


def in_table_order(by_arm: Mapping[str, T]) -> dict[str, T]:
    """The same entries in the order of the table, those of the user's own arms behind them."""
    names = [name for name in ARMS if name in by_arm] + sorted(set(by_arm) - set(ARMS))
    return {name: by_arm[name] for name in names}
