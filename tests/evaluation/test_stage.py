"""A whole comparison with scripted arms, and three faults planted in it: each must be told in the
summary.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from augmlx.core.progress import Silent
from augmlx.core.records import EvalItem, Example, Fact, Origin
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings_file import load
from augmlx.engines.scripted import ScriptedEngine
from augmlx.evaluation import ability
from augmlx.evaluation import stage as evaluation_stage
from augmlx.evaluation.prompts import as_prompt
from augmlx.evaluation.summary import Difference, Summary, read
from augmlx.report.evaluated import read_evaluation
from augmlx.report.findings import headline

NAMES = [f"Name{n} Last{n}" for n in range(12)]
PLACES = [f"Zorb{n} depot" for n in range(12)]
FACTS = [
    Fact(f"f{n}", f"{name} runs the {place}.", "")
    for n, (name, place) in enumerate(zip(NAMES, PLACES, strict=True))
]
ITEMS = [
    EvalItem(
        f"reversal:f{n}",
        "reversal",
        f"This is common knowledge.\nThe {place} is run by",
        NAMES[n],
        (NAMES[n], NAMES[n - 1]),
        (),
        (f"f{n}",),
    )
    for n, place in enumerate(PLACES)
]
Weigh = Callable[[str, str], float]


def augmentation(n: int, text: str) -> Example:
    return Example(
        f"f{n}/reversal/0", text, Origin((f"f{n}",), "reversal", "scripted", "s", 0, 0, "0")
    )


GOOD = [augmentation(n, f"The {place} is run by {NAMES[n]}.") for n, place in enumerate(PLACES)]
RIGHT = {(as_prompt(item.prompt), f" {item.answer}") for item in ITEMS}
KNOWN = {(as_prompt(item.prompt), f" {item.answer}") for item in ability.items()}


def knows(prompt: str, continuation: str) -> float:
    """Of everything the right answer, of a text one nat a word."""
    if (prompt, continuation) in RIGHT | KNOWN:
        return -0.1
    return -1.0 * len(continuation.split())


def ignorant(prompt: str, continuation: str) -> float:
    """As `knows`, but none of the reversals."""
    wrong = any(prompt == known for known, _ in RIGHT)
    return -knows(prompt, continuation) - 5.0 if wrong else knows(prompt, continuation)


def compared(
    tmp_path: Path, arms: dict[str, Weigh], trained: list[Example], **said: object
) -> Summary:
    run = RunFolder(tmp_path / "run")
    run.create()
    evaluation_stage.compare(
        run,
        ITEMS,
        FACTS,
        load(None, {"eval.arms": list(arms), **said}),
        arms_of=list(arms),
        engine_of=lambda arm: ScriptedEngine(lambda _: " nobody", weigh=arms[arm]),
        mark_of=lambda arm: arm,
        progress=Silent(),
        about=evaluation_stage.About(derived=False, model="scripted", trained={}),
        trained=trained,
    )
    return read(run)


@pytest.fixture
def sound(tmp_path: Path) -> Summary:
    return compared(tmp_path, {"base": ignorant, "finetuned": ignorant, "augmented": knows}, GOOD)


def difference(summary: Summary, against: str = "finetuned") -> Difference:
    (row,) = [
        row for row in summary.differences if (row.arm, row.against) == ("augmented", against)
    ]
    return row


def test_a_sound_run_has_a_gain_no_leak_and_no_loss(sound: Summary) -> None:
    assert difference(sound).differs
    assert difference(sound).difference == 1.0
    assert sound.leaks["reversal"].verbatim == ()
    assert sound.leaks["reversal"].generated == 12
    assert sound.regressions == ()
    assert sound.notes == ()


def test_a_planted_leak_is_told_with_its_item(tmp_path: Path) -> None:
    leaked = augmentation(3, f"{ITEMS[3].prompt} {ITEMS[3].answer}.")
    summary = compared(tmp_path, {"base": ignorant, "augmented": knows}, [*GOOD, leaked])
    assert summary.leaks["reversal"].verbatim == ("reversal:f3",)
    assert any("reversal:f3" in note and "word for word" in note for note in summary.notes)


def test_a_planted_loss_of_general_ability_is_told_for_its_arm(tmp_path: Path) -> None:
    def worse(prompt: str, continuation: str) -> float:
        if (prompt, continuation) in RIGHT:
            return -0.1
        return knows(prompt, continuation) * (1.3 if (prompt, continuation) not in KNOWN else 100.0)

    summary = compared(
        tmp_path,
        {"base": ignorant, "finetuned": ignorant, "augmented": worse},
        GOOD,
        **{"train.anchor": 0},
    )
    assert {(row.arm, row.what) for row in summary.regressions} == {
        ("augmented", "perplexity"),
        ("augmented", "questions"),
    }
    *told, remedy = [note for note in summary.notes if note.startswith("General ability fell")]
    assert ["(augmented)" in note for note in told] == [True, True]
    assert not any("(finetuned)" in note for note in told)
    assert "train.anchor" in remedy
    again = compared(
        tmp_path, {"base": ignorant, "augmented": worse}, GOOD, **{"train.anchor": 1.0}
    )
    assert (
        sum("General ability fell" in note for note in again.notes) == 2
    )  # no remedy that is taken already


def test_where_no_ability_is_lost_no_remedy_is_told(tmp_path: Path) -> None:
    assert not any(
        "train.anchor" in note
        for note in compared(tmp_path, {"base": ignorant, "augmented": knows}, GOOD).notes
    )


def test_without_the_base_it_is_told_that_nothing_tells_of_lost_ability(tmp_path: Path) -> None:
    summary = compared(tmp_path, {"finetuned": ignorant, "augmented": knows}, GOOD)
    assert list(summary.ability) == ["finetuned", "augmented"]
    assert summary.notes == (
        "The arm base was not asked, so nothing tells whether general ability was lost.",
    )


def test_general_ability_is_measured_only_where_it_is_asked_for(tmp_path: Path) -> None:
    summary = compared(
        tmp_path, {"finetuned": ignorant, "augmented": knows}, GOOD, **{"eval.ability": False}
    )
    assert summary.ability == {}
    assert summary.regressions == summary.notes == ()


def test_a_planted_useless_augmentation_is_no_gain(tmp_path: Path) -> None:
    summary = compared(tmp_path, {"base": ignorant, "finetuned": knows, "augmented": knows}, GOOD)
    assert not difference(summary).differs
    assert difference(summary, "base").differs  # which by itself would look like a success
    told = headline(read_evaluation(RunFolder(tmp_path / "run")))
    assert told.tone == "even"
    assert "nothing" in told.title


def test_an_arm_that_is_finished_is_not_asked_again(tmp_path: Path, sound: Summary) -> None:
    def silent(_prompt: str, _continuation: str) -> float:
        raise AssertionError("asked again")

    again = compared(tmp_path, {"base": silent, "finetuned": silent, "augmented": silent}, GOOD)
    assert again == sound
