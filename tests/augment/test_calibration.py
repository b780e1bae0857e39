"""A model is measured before it writes: the same report twice, and distrust is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tiny.line import Recorder

from augmlx.augment.calibration import choosing, report
from augmlx.augment.calibration.in_force import in_force
from augmlx.augment.calibration.report import Report, find_report
from augmlx.augment.calibration.sitting import calibrate, spread
from augmlx.augment.exam.gold import golds, labelled_texts
from augmlx.augment.exam.marks import Tally
from augmlx.core.errors import ModelError
from augmlx.core.settings import AugmentSettings
from augmlx.core.settings_file import load
from augmlx.engines.protocol import Completion, Prompting, Request
from augmlx.engines.scripted import ScriptedEngine
from augmlx.models.store.folder import StoredModel

Writer = Callable[[Request], str]


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGMLX_HOME", str(tmp_path / "store"))


def stored(name: str = "scripted") -> StoredModel:
    return StoredModel(name=name, path=Path("nowhere"), hf_base=None, fingerprint=name * 8)


def fact_of(request: Request) -> str:
    return request.suffix.rpartition("Fact: ")[2].partition("\n")[0]


def knows(request: Request) -> str:
    """A writer that says what the exam's labelled texts say, where one goes on so."""
    by_fact = {gold.fact: gold.id for gold in golds()}
    texts = [text.text for text in labelled_texts() if text.fact_id == by_fact[fact_of(request)]]
    right = [text for text in texts if text.startswith(request.opening)]
    return right[0].removeprefix(request.opening) if right else " nothing at all."


def sat(write: Writer, name: str = "scripted") -> Report:
    return calibrate(stored(name), ScriptedEngine(write), Recorder())


class Refusing(ScriptedEngine):
    """One whose template is broken."""

    def fault_of(self, prompting: Prompting) -> str | None:
        return None if prompting == "raw" else "the template cannot be rendered"


# What comes of a model


def test_a_model_that_can_gets_marks_and_is_trusted() -> None:
    found = sat(knows)
    assert not found.off.keys() & {"reversal", "qa-forward"}
    assert found.marks["reversal"].precision == 1.0
    assert found.chosen["prompting"] == "raw"
    assert set(found.chosen) <= AugmentSettings.CALIBRATED
    assert find_report(stored()) == found


def test_the_choice_is_the_same_twice() -> None:
    first = sat(knows)
    report.forget(stored())
    assert find_report(stored()) is None
    assert sat(knows) == first


@pytest.mark.parametrize("stop_after", [1, 40, 200])
def test_a_calibration_that_was_stopped_goes_on_to_the_same_report(stop_after: int) -> None:
    whole = sat(knows, "whole")
    written = 0

    def stopped(request: Request) -> str:
        nonlocal written
        written += 1
        if written == stop_after:
            raise KeyboardInterrupt
        return knows(request)

    with pytest.raises(KeyboardInterrupt):
        sat(stopped)
    assert find_report(stored()) is None
    resumed = sat(knows)
    assert replace(resumed, model="whole", fingerprint=whole.fingerprint) == whole


def test_one_that_answers_ok_is_trusted_with_nothing() -> None:
    found = sat(lambda _request: " ok")
    assert sum(tally.kept for tally in found.marks.values()) == 0
    assert set(found.off) == set(found.marks)
    assert any('"ok"' in note for note in found.notes)


def test_one_that_echoes_is_trusted_with_nothing() -> None:
    found = sat(lambda request: f" {fact_of(request)}")
    assert sum(tally.wrong for tally in found.marks.values()) == 0
    assert "reversal" in found.off
    assert any("repeats the fact" in note for note in found.notes)


def test_one_with_a_broken_template_is_asked_raw_and_it_is_said() -> None:
    found = calibrate(stored(), Refusing(knows), Recorder())
    faults = {tried.way["prompting"]: tried.fault for tried in found.tried if tried.fault}
    assert set(faults) == {"chat", "turns"}
    assert found.chosen["prompting"] == "raw"


def test_one_that_fails_always_is_said_to() -> None:
    def fail(request: Request) -> Completion:
        return Completion(request.key, "it does not fit", "error", 0)

    found = calibrate(stored(), ScriptedEngine(fail), Recorder())
    assert any("it does not fit" in note for note in found.notes)
    assert set(found.off) == set(found.marks)


# What is made of marks


def test_an_operator_is_switched_off_where_its_mistakes_are_no_bad_luck() -> None:
    assert choosing.switched_off({"reversal": Tally(10, 6, 6)}, 20) == {
        "reversal": "4 of 10 kept texts were wrong"
    }
    assert not choosing.switched_off({"reversal": Tally(16, 14, 12)}, 20)
    assert "only 1 of 20" in choosing.switched_off({"reversal": Tally(1, 1, 1)}, 20)["reversal"]


@pytest.mark.parametrize(
    ("one", "other", "better"),
    [
        (Tally(21, 21, 8), Tally(21, 20, 8), False),  # one wrong text may be chance
        (Tally(20, 20, 8), Tally(22, 20, 8), True),
        (Tally(24, 24, 8), Tally(20, 20, 8), True),
        (Tally(23, 23, 8), Tally(20, 20, 8), False),
        (Tally(40, 36, 8), Tally(20, 20, 8), False),  # precision goes before number
        (Tally(1, 1, 1), Tally(20, 17, 8), True),
        (Tally(3, 3, 2), Tally(0, 0, 0), True),
    ],
)
def test_the_usual_way_stays_unless_another_is_clearly_better(
    one: Tally, other: Tally, better: bool
) -> None:
    assert choosing.is_better(one, other) is better


def test_the_facts_of_a_trial_are_of_many_kinds() -> None:
    facts = [gold for gold in golds() if gold.lang == "en"]
    chosen = spread(facts, 14)
    assert len({gold.id for gold in chosen}) == 14
    assert len({gold.kind for gold in chosen[:6]}) >= 5


# What is made of a report


def some_report(**changes: object) -> Report:
    values = {
        "model": "m",
        "fingerprint": "f",
        "code": report.CODE,
        "chosen": {"prompting": "chat", "temperature": 0.5},
        "facts": 20,
        "marks": {},
    }
    return Report(**{**values, **changes})  # type: ignore[arg-type]


def test_what_the_user_wrote_is_not_overruled() -> None:
    written = load(None, {"augment.temperature": 0.9}).augment
    over = some_report(off={"rephrase": "why"}).over(written)
    assert (over.temperature, over.prompting) == (0.9, "chat")
    assert over.operators == ("reversal", "qa-forward", "qa-reverse")
    named = load(None, {"augment.operators": ["rephrase"]}).augment
    assert some_report(off={"rephrase": "why"}).over(named).operators == ("rephrase",)
    assert some_report().over(AugmentSettings()) == some_report().over(
        some_report().over(AugmentSettings())
    )


def test_a_torn_report_is_none(tmp_path: Path) -> None:
    sat(knows)
    path = report.folder_of(stored()) / "report.json"
    path.write_text(path.read_text("utf-8")[:-40])
    assert find_report(stored()) is None


def test_what_a_model_cannot_do_is_left_out_aloud() -> None:
    model, progress = stored(), Recorder()
    report.write_report(of(model, off={"rephrase": "2 of 4 kept texts were wrong"}), model)
    used = in_force(load(None), model, progress).augment.operators
    assert used == ("reversal", "qa-forward", "qa-reverse")
    assert progress.said == [
        "rephrase: left out; on the exam 2 of 4 kept texts were wrong (augmlx models show scripted)"
    ]


def test_what_the_user_named_is_done_all_the_same() -> None:
    model, progress = stored(), Recorder()
    report.write_report(of(model, off={"rephrase": "2 of 4 kept texts were wrong"}), model)
    named = load(None, {"augment.operators": ["rephrase"]})
    assert in_force(named, model, progress).augment.operators == ("rephrase",)
    assert "done all the same" in progress.said[0]


def test_a_model_that_can_nothing_is_refused() -> None:
    model = stored()
    off = dict.fromkeys(AugmentSettings().operators, "something right for only 0 of 20 facts")
    report.write_report(of(model, off=off), model)
    with pytest.raises(ModelError, match="not to be trusted with reversal or rephrase"):
        in_force(load(None), model, Recorder())


def test_calibration_can_be_left_out() -> None:
    settings = load(None, {"augment.calibrate": False})
    assert in_force(settings, stored(), Recorder()) is settings


def of(model: StoredModel, **changes: object) -> Report:
    return some_report(model=model.name, fingerprint=model.fingerprint, **changes)
