"""Rule before judge: conclusions that follow or do not, and what a form may be turned into."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.augment.filters import Candidate
from augmlx.augment.filters.deduction import follows_by, recognised_form
from augmlx.core.settings import AugmentSettings
from augmlx.english.logic import RULES

SETTINGS = AugmentSettings()
WRONG, UNKNOWN = "does not follow from its premises", "is no statement of a form that is known"


def judged(rule: str, text: str, *premises: str) -> str | None:
    candidate = Candidate(0, text, premises[0], "stop", premises)
    return follows_by(rule)(candidate, [candidate], SETTINGS)


@pytest.mark.parametrize(
    ("rule", "premises", "text", "why"),
    [
        (
            "contraposition",
            ("All wugs are daxes.",),
            "Anything that is not a dax is not a wug.",
            None,
        ),
        ("contraposition", ("All wugs are daxes.",), "No non-dax is a wug.", None),
        ("contraposition", ("All wugs are daxes.",), "All daxes are wugs.", WRONG),
        (
            "contraposition",
            ("All wugs are daxes.",),
            "Anything that is not a wug is not a dax.",
            WRONG,
        ),
        ("contraposition", ("All wugs are daxes.",), "All wugs are daxes.", WRONG),
        ("contraposition", ("All wugs are daxes.",), "Non-daxes do not wug.", UNKNOWN),
        ("conversion", ("All wugs are daxes.",), "Some daxes are wugs.", None),
        ("conversion", ("All wugs are daxes.",), "All daxes are wugs.", WRONG),
        ("syllogism", ("All wugs are daxes.", "No daxes are feps."), "No feps are wugs.", None),
        (
            "syllogism",
            ("All wugs are daxes.", "Some daxes are feps."),
            "Some wugs are feps.",
            WRONG,
        ),
        (
            "chain",
            ("Ana is older than Ben.", "Ben is older than Cleo."),
            "Cleo is younger than Ana.",
            None,
        ),
        (
            "chain",
            ("Ana is older than Ben.", "Ben is older than Cleo."),
            "Cleo is older than Ana.",
            WRONG,
        ),
        ("chain", ("Ana knows Ben.", "Ben knows Cleo."), "Ana is older than Cleo.", WRONG),
        ("inheritance", ("All wugs are daxes.", "Rex is a wug."), "Rex is a dax.", None),
        (
            "inheritance",
            ("All wugs are daxes.", "Rex is a wug.", "Rex is not a dax."),
            "Rex is a dax.",
            WRONG,
        ),
        ("membership", ("The members of Zorb are Ana and Ben.",), "Ben is a member of Zorb.", None),
        (
            "membership",
            ("The members of Zorb are Ana and Ben.",),
            "Cleo is a member of Zorb.",
            WRONG,
        ),
    ],
)
def test_a_conclusion_must_follow(
    rule: str, premises: tuple[str, ...], text: str, why: str | None
) -> None:
    assert judged(rule, text, *premises) == why
    assert judged(rule, text, *premises[::-1]) == why


@pytest.mark.parametrize(
    ("source", "text", "stopped"),
    [
        ("Lake Orrin is larger than Lake Pell.", "Lake Pell is smaller than Lake Orrin.", False),
        ("Lake Orrin is larger than Lake Pell.", "Lake Pell is larger than Lake Orrin.", True),
        ("Lake Orrin is larger than Lake Pell.", "Lake Orrin is smaller than Lake Pell.", True),
        ("Lake Orrin is larger than Lake Pell.", "Lake Pell is less large than Lake Orrin.", False),
        ("Glons are more dangerous than femps.", "Femps are safer than glons.", False),
        ("Glons are more dangerous than femps.", "Femps are more dangerous than glons.", True),
        ("The Oak is longer than the Elm.", "The Elm is shorter than the Oak.", False),
        ("The siege was before the flood.", "The flood was before the siege.", True),
        ("The siege was before the flood.", "The flood came after the siege.", False),
        ("The cog is part of the clock.", "The clock contains the cog.", False),
        ("The cog is part of the clock.", "The clock is part of the cog.", True),
        ("All wugs are daxes.", "All daxes are wugs.", True),
        ("All wugs are daxes.", "Some daxes are wugs.", False),
        ("All wugs are daxes.", "Anything that is not a dax is not a wug.", False),
        ("No wugs are daxes.", "No daxes are wugs.", False),
        ("Some wugs are not daxes.", "Some daxes are not wugs.", True),
        ("Mara is the head of the Lab.", "The Lab's head is Mara.", False),
        ("Mara is the head of the Lab.", "The head of the Lab is Omar.", True),
        ("Ana is the mother of Ben.", "Ben is the child of Ana.", False),
        ("Ana is the spouse of Ben.", "Ben is the spouse of Ana.", False),
        ("Ana is a cousin of Ben.", "Ben's cousin is Ana.", False),
        ("If the lamp is on, the door is open.", "If the door is open, the lamp is on.", True),
        (
            "If the lamp is on, the door is open.",
            "If the door is not open, the lamp is not on.",
            False,
        ),
        ("If Ana owns the mill, Ben is rich.", "If the mill is owned by Ana, Ben is rich.", False),
        ("Ana likes Ben.", "All wugs are daxes.", False),
        ("All wugs are daxes.", "Wugs like daxes.", True),
    ],
)
def test_a_recognised_form_decides(source: str, text: str, stopped: bool) -> None:
    candidate = Candidate(0, text, source, "stop")
    assert (recognised_form(candidate, [candidate], SETTINGS) is not None) == stopped
    same = Candidate(0, source, source, "stop")
    assert recognised_form(same, [same], SETTINGS) is None


@given(st.sampled_from(sorted(RULES)), st.text(), st.lists(st.text(), min_size=1, max_size=3))
def test_any_text_is_judged(rule: str, text: str, premises: list[str]) -> None:
    candidate = Candidate(0, text, premises[0], "stop", tuple(premises))
    assert follows_by(rule)(candidate, [], SETTINGS) in (None, WRONG, UNKNOWN)
    recognised_form(candidate, [], SETTINGS)
