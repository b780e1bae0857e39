"""What a model says of texts is heard as far as it tells right from wrong, and no further."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.augment.calibration.thresholds import Text, threshold, weights
from augmlx.augment.filters import MEASURES, Candidate, judge, measures_of
from augmlx.augment.filters.weighing import BIAS, UNSURE, balance, objection
from augmlx.core.errors import BadSettings
from augmlx.core.settings import AugmentSettings, Witness
from augmlx.core.settings_file import load

SOURCE = "Either party may terminate this agreement with 60 days' notice."
FILTERS = ("form", "turned", "duplicate")


def texts(labels: list[bool], unsure: bool = False) -> list[Text]:
    return [
        Text(f"k{number}", f"fact {number // 3}", Candidate(0, "x", "y", "stop"), right, unsure)
        for number, right in enumerate(labels)
    ]


def scores(values: np.ndarray) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(1).normal(size=(2, len(values)))
    return {"judge": values, "plausibility": noise[0], "round_trip": noise[1]}


LABELS = [bool(number % 2) for number in range(90)]
SIGNAL = np.array([4.0 * right for right in LABELS]) + np.random.default_rng(0).normal(size=90)
NOISE = np.random.default_rng(2).normal(size=90)


def test_a_measure_that_tells_right_from_wrong_gets_a_threshold() -> None:
    found = threshold("judge", texts(LABELS), SIGNAL)
    assert found.tells > 0.95
    assert found.right >= 0.9
    assert found.wrong < 0.2
    assert set(found.values) == {"judge"}


def test_one_that_does_not_is_not_heard() -> None:
    assert threshold("judge", texts(LABELS), NOISE).values == {}
    assert weights(texts(LABELS), scores(NOISE)).values == {}


def test_one_that_says_nothing_of_any_text_is_not_heard() -> None:
    silent = np.full(90, np.nan)
    assert threshold("judge", texts(LABELS), silent).values == {}
    everything_right = [True] * 90
    assert weights(texts(everything_right), scores(SIGNAL)).values == {}


def test_the_weights_let_right_texts_pass_and_no_wrong_one() -> None:
    found = weights(texts(LABELS), scores(SIGNAL))
    fitted = found.values["weights"]
    assert isinstance(fitted, dict)
    assert set(fitted) == {"judge", "plausibility", "round_trip", UNSURE, BIAS}
    assert found.right > 0.6
    assert found.wrong < 0.1
    assert objection({"judge": 9.0}, fitted, is_unsure=False) is None
    assert "less than 0" in str(objection({"judge": -9.0}, fitted, is_unsure=False))


@given(st.dictionaries(st.sampled_from(["judge", "round_trip"]), st.floats(-9, 9)))
def test_a_measure_that_says_nothing_weighs_nothing(said: dict[str, float]) -> None:
    rule = {"judge": 1.0, "round_trip": 2.0, BIAS: -1.0}
    expected = said.get("judge", 0.0) + 2 * said.get("round_trip", 0.0) - 1
    assert math.isclose(balance(said, rule, is_unsure=False), expected, abs_tol=1e-9)


# Among the filters


def test_only_what_can_weigh_may_be_given_a_weight() -> None:
    assert set(get_args(Witness)) == {*MEASURES, UNSURE, BIAS}
    with pytest.raises(BadSettings, match="weights"):
        load(None, {"augment.weights": {"mood": 1.0}})


@pytest.mark.parametrize(("said", "kept"), [(3.0, True), (-3.0, False)])
def test_where_grammar_is_unsure_the_weights_decide(said: float, kept: bool) -> None:
    candidate = Candidate(0, "Notice of 60 days ends this agreement for a party.", SOURCE, "stop")
    alone = AugmentSettings()
    weighed = AugmentSettings(weights={"judge": 1.0})
    (without,) = judge([candidate], FILTERS, alone, {(0, "judge"): said})
    (verdict,) = judge([candidate], FILTERS, weighed, {(0, "judge"): said})
    assert not without.kept
    assert verdict.kept is kept


def test_without_a_score_grammar_decides_alone() -> None:
    candidate = Candidate(0, "Notice of 60 days ends this agreement for a party.", SOURCE, "stop")
    (verdict,) = judge([candidate], FILTERS, AugmentSettings(weights={"judge": 1.0}), {})
    assert verdict.by == "turned"


def test_nothing_is_scored_that_nobody_weighs() -> None:
    assert measures_of(FILTERS, AugmentSettings()) == []
    assert measures_of(FILTERS, AugmentSettings(weights={"judge": 1.0, BIAS: 2.0})) == ["judge"]
    assert measures_of(("form",), AugmentSettings(weights={"judge": 1.0})) == []
    assert measures_of(("form", "plausibility"), AugmentSettings()) == ["plausibility"]
