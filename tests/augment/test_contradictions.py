"""Of two statements that cannot both hold the weaker goes, and never a fact."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.augment.contradictions import Consistency
from augmlx.core.records import Example, Fact, Origin
from augmlx.english import logic


def fact(n: int, text: str) -> Fact:
    return Fact(f"f{n}", text, f"facts.csv:{n + 2}")


def example(n: int, text: str, agreement: float | None) -> Example:
    return Example(f"e{n}", text, Origin((), "reversal", "mlx", "m", 0, 0, ""), None, agreement)


def losers(facts: list[str], *said: tuple[str, float | None]) -> dict[str, str]:
    consistency = Consistency([fact(n, text) for n, text in enumerate(facts)])
    for n, (text, agreement) in enumerate(said):
        consistency.consider(example(n, text, agreement))
    return consistency.losers()


KINDS, THINGS = ("wugs", "daxes", "feps"), ("Rex", "Ana", "Orr")
STATEMENTS = st.one_of(
    st.builds(
        "{} {} are {}.".format,
        st.sampled_from(["All", "No", "Some"]),
        *[st.sampled_from(KINDS)] * 2,
    ),
    st.builds(
        "{} is {}a {}.".format,
        st.sampled_from(THINGS),
        st.sampled_from(["", "not "]),
        st.sampled_from(["wug", "dax"]),
    ),
    st.builds(
        "{} is {} than {}.".format,
        st.sampled_from(THINGS),
        st.sampled_from(["larger", "smaller"]),
        st.sampled_from(THINGS),
    ),
    st.builds("The head of {} is {}.".format, st.sampled_from(THINGS), st.sampled_from(THINGS)),
    st.sampled_from(["Rain.", "Question: Who?\nAnswer: Rex", "Rex the of is."]),
)
SAID = st.tuples(STATEMENTS, st.sampled_from([0.25, 0.5, 1.0, None]))


@given(st.lists(STATEMENTS, max_size=6, unique=True), st.lists(SAID, max_size=12))
@settings(max_examples=300, deadline=None)
def test_no_two_that_are_left_contradict_each_other_and_none_goes_without_a_reason(
    facts: list[str], said: list[tuple[str, float | None]]
) -> None:
    gone = losers(facts, *said)
    parsed = {f"f{n}": logic.parse(text) for n, text in enumerate(facts)}
    parsed |= {f"e{n}": logic.parse(text) for n, (text, _) in enumerate(said)}
    known = {name: form for name, form in parsed.items() if form is not None}
    kept = {name: form for name, form in known.items() if name not in gone}
    assert not [name for name in gone if name.startswith("f")]
    for one, other in combinations(kept, 2):
        if not one.startswith("f") or not other.startswith("f"):
            assert not logic.contradicts(kept[one], kept[other])
    strength = {
        f"e{n}": 1.0 if agreement is None else agreement for n, (_, agreement) in enumerate(said)
    }
    for name, why in gone.items():
        winner = why.removeprefix("contradicts ")
        assert winner in kept
        assert logic.contradicts(known[name], known[winner])
        assert winner.startswith("f") or (-strength[winner], int(winner[1:])) < (
            -strength[name],
            int(name[1:]),
        )


def test_a_fact_wins_whatever_the_samples_agree_on() -> None:
    said = ("The head of Orr is Ana.", 1.0)
    assert losers(["The head of Orr is Rex."], said) == {"e0": "contradicts f0"}


def test_the_stronger_wins_wherever_it_stands_and_the_earlier_among_equals() -> None:
    weak, strong = ("Rex is larger than Ana.", 0.25), ("Ana is larger than Rex.", 0.75)
    assert losers([], weak, strong) == {"e0": "contradicts e1"}
    assert losers([], strong, weak) == {"e1": "contradicts e0"}
    assert losers([], ("Rex is larger than Ana.", 0.5), ("Ana is larger than Rex.", 0.5)) == {
        "e1": "contradicts e0"
    }


def test_what_no_model_wrote_is_as_strong_as_what_all_samples_say() -> None:
    assert losers([], ("Rex is larger than Ana.", 0.9), ("Ana is larger than Rex.", None)) == {
        "e0": "contradicts e1"
    }


def test_what_loses_denies_nothing_itself() -> None:
    said = [
        ("Rex is larger than Ana.", 0.5),
        ("Ana is larger than Rex.", 0.9),
        ("Rex is larger than Ana.", 0.4),
    ]
    assert set(losers([], *said)) == {"e0", "e2"}


def test_facts_that_contradict_each_other_are_told_by_their_places_and_both_count() -> None:
    texts = ["The head of Orr is Rex.", "Rain.", "The head of Orr is Ana."]
    consistency = Consistency([fact(n, text) for n, text in enumerate(texts)])
    assert consistency.disputes == [("facts.csv:4", "facts.csv:2")]
    for n, name in enumerate(("Rex", "Ana", "Bo")):
        consistency.consider(example(n, f"The head of Orr is {name}.", 1.0))
    assert set(consistency.losers()) == {"e0", "e1", "e2"}


def test_without_a_known_form_nothing_is_said() -> None:
    assert losers(["Rain."], ("No rain.", 0.1), ("Rain falls and does not fall.", 0.1)) == {}


def test_what_an_earlier_round_kept_stays_and_what_denies_it_goes() -> None:
    consistency = Consistency([])
    consistency.settle(example(0, "Rex is larger than Ana.", 0.1))
    consistency.consider(example(1, "Ana is larger than Rex.", 1.0))
    assert consistency.losers() == {"e1": "contradicts e0"}
